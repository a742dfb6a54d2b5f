from core._grams_np import Reader as Reader
