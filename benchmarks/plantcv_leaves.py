"""A PlantCV workflow that counts leaves, as `benchmarks/peers.py` gives it to PlantCV's own runner.

Threshold on the a channel of CIELAB, specks filled, watershed of the distance transform: what
PlantCV's documentation shows for rosettes.
"""

from plantcv import plantcv as pcv
from plantcv.parallel import workflow_inputs

args = workflow_inputs()
pcv.params.debug = args.debug
picture, _, _ = pcv.readimage(filename=args.image1)
green = pcv.rgb2gray_lab(rgb_img=picture, channel="a")
mask = pcv.threshold.binary(gray_img=green, threshold=118, object_type="dark")
mask = pcv.fill(bin_img=mask, size=50)
pcv.watershed_segmentation(rgb_img=picture, mask=mask, distance=10, label="plant")
pcv.outputs.save_results(filename=args.result, outformat="json")
