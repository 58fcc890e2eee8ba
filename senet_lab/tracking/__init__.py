"""The only room that imports mlflow: run folders projected into an MLflow server, live and again from scratch.

Importing it is cheap; mlflow itself (2-3 s) is imported by the writer's own thread.
"""

from senet_lab.tracking.address import default_uri as default_uri
from senet_lab.tracking.health import reachable as reachable
from senet_lab.tracking.health import refused as refused
from senet_lab.tracking.projection import Projection as Projection
from senet_lab.tracking.runs import VariantAggregate as VariantAggregate
from senet_lab.tracking.ui import serve as serve
from senet_lab.tracking.view import table_url as table_url
