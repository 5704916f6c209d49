from tools.pages.docstring_math import as_code


def test_formulas_become_code_and_words_stay() -> None:
    text = "Place it.\n\n.. math:: z = (p - c) / r\n\nThe band :math:`10^{-j}` of `x`."
    assert as_code(text) == "Place it.\n\n```tex\nz = (p - c) / r\n```\n\nThe band `10^{-j}` of `x`."
