# The numpy twin has the same names and signatures by definition.
from core._representation_np import Correction as Correction
from core._representation_np import Representer as Representer
