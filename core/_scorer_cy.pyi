# The numpy twin has the same names and signatures by definition.
from core._scorer_np import MAX_RANKED as MAX_RANKED
from core._scorer_np import Scorer as Scorer
from core._scorer_np import rank as rank
from core._scorer_np import significant as significant
