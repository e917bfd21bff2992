"""Where to compute."""

import torch


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """The device to use.

    Args:
        device: ``"auto"`` takes CUDA, else MPS, else the CPU; anything else is taken by name.

    Returns:
        The device.

    Raises:
        ValueError: if the name is unknown, or that device is not on this machine.
    """
    if str(device) == "auto":
        mps = torch.backends.mps.is_available()
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if mps else "cpu")
    try:
        place = torch.device(device)
        torch.empty(0, device=place)
        if place.type == "meta":
            raise RuntimeError("meta tensors hold no values")
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(
            f"device must be 'auto', 'cpu', 'cuda' or 'mps', and be present; received {device!r} "
            f"({str(error).splitlines()[0]}). Use device='auto' or device='cpu'."
        ) from error
    return place
