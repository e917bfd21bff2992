"""Live controls for notebooks, one module a control: JupyterLab and Colab, ipywidgets 7.7 and 8."""
