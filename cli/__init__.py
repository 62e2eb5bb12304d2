"""The `mainstay` command: every verb calls one function of the rooms above and shows what it gives back."""
