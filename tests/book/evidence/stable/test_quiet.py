import pytest
import torch

from bijepa_book.evidence.stable.quiet import NOISES, quiet_data, recordings


def test_only_the_noise_is_another() -> None:
    silent, quiet, loud = (quiet_data(noise, (0, 1), 8) for noise in NOISES)
    (still, _), (some, _) = silent.batches(3), quiet.batches(3)
    assert still.shape == (2, 8, 10)
    assert (some - still).std() == pytest.approx(0.005, rel=0.2)
    torch.testing.assert_close(10 * (some - still), loud.batches(3)[0] - still, rtol=0, atol=1e-5)
    # a sine sampled evenly follows its two values before, if nothing disturbs it
    wave = torch.cat(silent.held_out, -1)[0, 0]
    ratio = (wave[2:] + wave[:-2]) / wave[1:-1]
    torch.testing.assert_close(ratio, ratio[:1].expand(18), rtol=1e-2, atol=1e-2)


def test_each_noise_has_its_own_keys() -> None:
    keys = [recording.key for recording in recordings()]
    assert len(set(keys)) == 6
    assert "sine-noise-0.005-whitened-0.2-paper" in keys
