"""A prompt in 40 bytes: what the wording model makes of it before it decides, and its structure.

No text can be read back from it: hundreds of hashed grams are added up to 20 sums, which say how much the runs and the
words of the prompt speak for each task, and each is kept to a sixteenth in log odds. What it can tell is whether a
prompt that somebody has in mind already may have been the one (docs/learning.md).

byte 0: version of the wording model. 1-10: log odds of each task of TEXT_TASKS by the runs of bytes, 11-20: by the
words, in 1 / PER_LOG_ODD. 21-39: the structure, in the order of `_representation_np.structure`. All but the first are
int8.
"""

from core.tasks import TEXT_TASKS

SUMS = len(TEXT_TASKS)  # of the runs, and as many of the words
STRUCTURE = 19
SIZE = 1 + 2 * SUMS + STRUCTURE
PER_LOG_ODD = 16.0
CONSTANT = 32  # stands in place of the version when a correction is added up
MOST_COUNTED = 4  # question marks, code fences, cues of a kind

# What a byte's step weighs: a correction is kept in whole numbers of this, so that its sums are exact in any order.
STEP = 1.0 / (CONSTANT * 4096)
MOST_WEIGHT = 2**20  # of one entry, in steps
MOST_MOVED = 6.0  # log odds that learning may move a task by
