"""The small nets of the zoo that have a name in the literature, thin, with input shapes that show their field."""

from tests.zoo.aspp import DeepLab
from tests.zoo.deepmedic import SMALLEST, DeepMedic
from tests.zoo.lstm import LstmClassifier
from tests.zoo.odd import ODD, Odd
from tests.zoo.senet import SeNet
from tests.zoo.tcn import TCN, WaveNet
from tests.zoo.unet import UNet

SMALL: tuple[Odd, ...] = (
    Odd("deepmedic", lambda: DeepMedic(width=0.03), ((1, SMALLEST + 6, SMALLEST, SMALLEST),)),
    Odd("wavenet", WaveNet, ((1, 160),)),
    Odd("tcn", TCN, ((1, 80),)),
    Odd("lstm", LstmClassifier, ((2, 9),)),
    Odd("lstm-each-step", lambda: LstmClassifier(each_step=True), ((2, 9),)),
    Odd("lstm-both-ways", lambda: LstmClassifier(layers=2, bidirectional=True, each_step=True), ((2, 9),)),
    Odd("unet", lambda: UNet(width=2), ((1, 96, 16),)),
    Odd("deeplab", lambda: DeepLab(width=2), ((3, 96, 16),)),
    Odd("deeplab-without-image-pooling", lambda: DeepLab(width=2, pooling=False), ((3, 96, 16),)),
    Odd("senet", lambda: SeNet(width=2), ((3, 64, 16),)),
)

ALL: tuple[Odd, ...] = (*SMALL, *ODD)
