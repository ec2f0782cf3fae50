// libtorch wheels ship ProcessGroupGloo.hpp without gloo's own headers; this one is only included, nothing of it is used.
#pragma once
