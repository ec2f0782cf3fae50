// Package jpeg decodes JPEG files to the pixels that Pillow gives: the same integer inverse DCT (libjpeg's jidctint), the
// same "fancy" triangle upsampling of chroma (jdsample.c) and the same 16-bit fixed-point colour conversion (jdcolor.c) as
// libjpeg-turbo with its defaults. The standard library's image/jpeg replicates chroma samples instead, which differs by up
// to 40 levels; a model trained on one and served on the other sees other images.
//
// Decoded: baseline, extended sequential and progressive Huffman files of 8 bits; greyscale, YCbCr, RGB, CMYK and YCCK;
// every sampling whose factors divide the largest; restart markers; damaged entropy data by libjpeg's recovery rules.
// Refused with a [FormatError] or an [UnsupportedError]: arithmetic coding, lossless, hierarchical, 12 and 16 bits; a file
// that ends before its end marker, as in Pillow. Not reproduced: libjpeg's smoothing of progressive files that lack their
// last scans.
//
// [Encode] writes baseline and progressive files. All arithmetic is on integers: equal input gives equal output on every
// machine.
//
// Sources: ITU-T T.81 (the format), libjpeg-turbo's documentation and Pillow's behaviour, to which the tests hold it.
package jpeg
