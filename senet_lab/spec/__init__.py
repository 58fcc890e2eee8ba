"""What people may ask for: frozen, closed values. What cannot train cannot be built.

A dotted path such as `model.se.reduction` is the only way to name a setting: in sweeps, in
`--set`, in columns, in MLflow. New settings need a default that means "as before", and a
default is never changed: fingerprints leave defaults out (see `plan`).
"""

from senet_lab.spec.cifar import FIRST_STAGE as FIRST_STAGE
from senet_lab.spec.cifar import CifarResNet as CifarResNet
from senet_lab.spec.cifar import PreActResNet as PreActResNet
from senet_lab.spec.cifar import ShakeShake as ShakeShake
from senet_lab.spec.cifar import WideResNet as WideResNet
from senet_lab.spec.imagenet import VGG as VGG
from senet_lab.spec.imagenet import BNInception as BNInception
from senet_lab.spec.imagenet import InceptionResNetV2 as InceptionResNetV2
from senet_lab.spec.imagenet import MobileNet as MobileNet
from senet_lab.spec.imagenet import ResNet as ResNet
from senet_lab.spec.imagenet import ResNeXt as ResNeXt
from senet_lab.spec.imagenet import SENet as SENet
from senet_lab.spec.imagenet import ShuffleNet as ShuffleNet
from senet_lab.spec.model import Model as Model
from senet_lab.spec.model import Narrow as Narrow
from senet_lab.spec.model import families as families
from senet_lab.spec.operators import Kind as Kind
from senet_lab.spec.operators import Source as Source
from senet_lab.spec.operators import is_shipped as is_shipped
from senet_lab.spec.se import SE as SE
from senet_lab.spec.se import Placement as Placement
from senet_lab.spec.se import Reductions as Reductions
from senet_lab.spec.se import Unit as Unit
from senet_lab.spec.search import Search as Search
from senet_lab.spec.space import Choice as Choice
from senet_lab.spec.space import Float as Float
from senet_lab.spec.space import Int as Int
from senet_lab.spec.stopping import ASHA as ASHA
from senet_lab.spec.stopping import Median as Median
from senet_lab.spec.study import SELECTION_SEED as SELECTION_SEED
from senet_lab.spec.study import Study as Study
from senet_lab.spec.study import Tune as Tune
from senet_lab.spec.sweep import AnyModel as AnyModel
from senet_lab.spec.sweep import Published as Published
from senet_lab.spec.sweep import Sweep as Sweep
from senet_lab.spec.sweep import Trial as Trial
from senet_lab.spec.sweep import apply as apply
from senet_lab.spec.training import Data as Data
from senet_lab.spec.training import Train as Train
from senet_lab.spec.values import Spec as Spec
