"""The version of assetbuild, where the reading face, the compiler and the command line find it without a look-up."""

__version__ = "0.1.0"
