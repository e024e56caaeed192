"""Every number of CLEVR v1.0's generator, in one place. No imports, so that anything can read it.

Sources: [gen] the official generator (facebookresearch/clevr-dataset-gen: render_images.py, data/properties.json,
data/base_scene.blend); [data] measured on the released scenes and images, where they differ from the code's defaults;
[cal] calibrated here against renders of the official scene with known camera and lights.
Lengths are the scene's units, angles radians, colours linear RGB in [0, 1].
"""

# ---- names, in the order of the 18 state channels of the set-prediction papers (DSPN's loader)
MATERIALS = ("rubber", "metal")
COLOURS = ("cyan", "blue", "yellow", "purple", "red", "green", "gray", "brown")
SHAPES = ("sphere", "cube", "cylinder")
SIZES = ("large", "small")

# [gen] properties.json; used directly as linear albedo, without sRGB decoding
COLOUR_BYTES = {
    "gray": (87, 87, 87),
    "red": (173, 35, 35),
    "blue": (42, 75, 215),
    "green": (29, 105, 20),
    "brown": (129, 74, 25),
    "purple": (129, 38, 192),
    "cyan": (41, 208, 208),
    "yellow": (255, 238, 51),
}
ALBEDO = tuple(tuple(byte / 255 for byte in COLOUR_BYTES[name]) for name in COLOURS)
RADIUS = (0.7, 0.35)  # [gen] large, small. [data] cubes too: the code's division by sqrt(2) never runs

# ---- sampling [gen], confirmed on 1,500 real scenes [data]
MIN_OBJECTS, MAX_OBJECTS = 3, 10
HALF_FIELD = 3.0  # x, y ~ U(-3, 3)
MIN_GAP = 0.25  # between bounding circles
MARGIN = 0.4  # least distance along both horizontal directions
TRIES = 50  # for one object, then the whole scene starts again
MIN_PIXELS = 200  # each object shows as many at 480x320 [data; the code's default]
RELATION_EPSILON = 0.2  # "left of" and the like need this much

# ---- camera [gen]: perspective, lens 35 on a sensor 32 wide, always aimed at the origin
IMAGE_WIDTH, IMAGE_HEIGHT = 480, 320  # [data] the released pictures
FOCAL = 35 / 32  # in picture widths (and, with square pixels, 525 px at 480x320)
CAMERA = (7.481131553649902, -6.5076398849487305, 5.34366512298584)
CAMERA_JITTER = 0.5
# [data] constant in all released scenes: the directions of the camera without jitter
RIGHT = (0.6563112735748291, 0.7544902563095093, 0.0)
BEHIND = (-0.754490315914154, 0.6563112735748291, 0.0)
ABOVE = (0.0, 0.0, 1.0)

# ---- lights [gen]: three square area lights aimed at the origin, jittered; one sun, not jittered
LIGHT_NAMES = ("key", "fill", "back")
LIGHTS = ((6.446710, -2.905175, 4.258398), (-4.671124, -4.013597, 3.011225), (-1.168501, 2.646024, 5.815737))
LIGHT_JITTER = 1.0
LIGHT_SIDE = (0.5, 0.5, 1.0)
LIGHT_POWER = (78.540, 23.562, 39.270)  # W
LIGHT_COLOUR = ((1.0, 0.932309, 0.816664), (0.761666, 0.817720, 1.0), (1.0, 1.0, 1.0))
SUN_DIRECTION = (0.414496, -0.194583, 0.889005)  # towards the sun
SUN_IRRADIANCE = 0.45  # W/m2 on a surface facing it
SUN_DIAMETER = 0.19932  # 11.42 degrees

# ---- floor [gen]: a curved backdrop, diffuse. Height over s = SX x + SY y + S0, sampled from the mesh
FLOOR_ALBEDO = 0.8
FLOOR_S = (-0.9032, 0.4292, -14.009)
FLOOR_HEIGHT = (
    (-14.4, 0.005), (-10.5, 0.026), (-8.9, 0.049), (-7.4, 0.084), (-6.1, 0.137), (-4.9, 0.212), (-3.9, 0.314),
    (-2.95, 0.449), (-2.1, 0.623), (-1.4, 0.844), (-0.76, 1.12), (-0.2, 1.46), (0.3, 1.86), (0.73, 2.35),
)  # fmt: skip

# ---- shapes, for radius 1 [data: outlines of the official meshes]
CUBE_FLAT, CUBE_EXPONENT = 0.75, 3  # flat inside, a superellipse over the last quarter
CYLINDER_ROUNDING = 0.046
