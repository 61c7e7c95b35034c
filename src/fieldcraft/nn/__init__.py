"""Parts of networks that stand alone in anyone's own PyTorch loop; torch is all they need."""
