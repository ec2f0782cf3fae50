#include "textflag.h"

// The fields of transformConstants.
#define FACTORS(i) (i*32)(R9)
#define ROUND1 256(R9)
#define ROUND2 288(R9)
#define TWO 320(R9)
#define MIDDLE 352(R9)
#define SHUFFLE(i) (384+i*32)(R9)

// The fields of quantiser.
#define ADD(row) (row*32)(R8)
#define RECIPROCAL(row) (256+row*32)(R8)
#define SCALE(row) (512+row*32)(R8)

// TRANSPOSE puts the columns of the rows Y0…Y7 into Y8…Y15, in each half.
#define TRANSPOSE \
	VPUNPCKLWD Y1, Y0, Y8 \
	VPUNPCKHWD Y1, Y0, Y9 \
	VPUNPCKLWD Y3, Y2, Y10 \
	VPUNPCKHWD Y3, Y2, Y11 \
	VPUNPCKLWD Y5, Y4, Y12 \
	VPUNPCKHWD Y5, Y4, Y13 \
	VPUNPCKLWD Y7, Y6, Y14 \
	VPUNPCKHWD Y7, Y6, Y15 \
	VPUNPCKLDQ Y10, Y8, Y0 \
	VPUNPCKHDQ Y10, Y8, Y1 \
	VPUNPCKLDQ Y11, Y9, Y2 \
	VPUNPCKHDQ Y11, Y9, Y3 \
	VPUNPCKLDQ Y14, Y12, Y4 \
	VPUNPCKHDQ Y14, Y12, Y5 \
	VPUNPCKLDQ Y15, Y13, Y6 \
	VPUNPCKHDQ Y15, Y13, Y7 \
	VPUNPCKLQDQ Y4, Y0, Y8 \
	VPUNPCKHQDQ Y4, Y0, Y9 \
	VPUNPCKLQDQ Y5, Y1, Y10 \
	VPUNPCKHQDQ Y5, Y1, Y11 \
	VPUNPCKLQDQ Y6, Y2, Y12 \
	VPUNPCKHQDQ Y6, Y2, Y13 \
	VPUNPCKLQDQ Y7, Y3, Y14 \
	VPUNPCKHQDQ Y7, Y3, Y15

// BUTTERFLY: from d0…d7 in Y8…Y15 the sums of forward8 before scaling, 0 in Y0 and 4 in Y4; t13 in Y5, t12 in Y7, s4…s7
// in Y12…Y15.
#define BUTTERFLY \
	VPADDW Y15, Y8, Y0 \
	VPSUBW Y15, Y8, Y15 \
	VPADDW Y14, Y9, Y1 \
	VPSUBW Y14, Y9, Y14 \
	VPADDW Y13, Y10, Y2 \
	VPSUBW Y13, Y10, Y13 \
	VPADDW Y12, Y11, Y3 \
	VPSUBW Y12, Y11, Y12 \
	VPSUBW Y3, Y0, Y5 \
	VPADDW Y3, Y0, Y0 \
	VPSUBW Y2, Y1, Y7 \
	VPADDW Y2, Y1, Y2 \
	VPSUBW Y2, Y0, Y4 \
	VPADDW Y2, Y0, Y0

// SCALED: low and high halves of products, rounded already, become 16-bit numbers in out.
#define SCALED(shift, low, high, out) \
	VPSRAD shift, low, low \
	VPSRAD shift, high, high \
	VPACKSSDW high, low, out

// PRODUCTS: the other outputs of forward8, from what BUTTERFLY leaves, into Y1, Y2, Y3, Y5, Y6, Y7. Sums of products of two
// numbers are one instruction, so the factors that forward8 adds up on the way are added up here in advance.
#define PRODUCTS(round, shift) \
	VPUNPCKLWD Y7, Y5, Y1 \
	VPUNPCKHWD Y7, Y5, Y3 \
	VPMADDWD FACTORS(0), Y1, Y2 \
	VPMADDWD FACTORS(0), Y3, Y6 \
	VPADDD round, Y2, Y2 \
	VPADDD round, Y6, Y6 \
	SCALED(shift, Y2, Y6, Y2) \
	VPMADDWD FACTORS(1), Y1, Y1 \
	VPMADDWD FACTORS(1), Y3, Y3 \
	VPADDD round, Y1, Y1 \
	VPADDD round, Y3, Y3 \
	SCALED(shift, Y1, Y3, Y6) \
	VPADDW Y14, Y12, Y1 \
	VPADDW Y15, Y13, Y3 \
	VPUNPCKLWD Y3, Y1, Y5 \
	VPUNPCKHWD Y3, Y1, Y7 \
	VPMADDWD FACTORS(2), Y5, Y8 \
	VPMADDWD FACTORS(2), Y7, Y9 \
	VPMADDWD FACTORS(3), Y5, Y10 \
	VPMADDWD FACTORS(3), Y7, Y11 \
	VPADDD round, Y8, Y8 \
	VPADDD round, Y9, Y9 \
	VPADDD round, Y10, Y10 \
	VPADDD round, Y11, Y11 \
	VPUNPCKLWD Y15, Y12, Y1 \
	VPUNPCKHWD Y15, Y12, Y3 \
	VPMADDWD FACTORS(4), Y1, Y5 \
	VPMADDWD FACTORS(4), Y3, Y7 \
	VPADDD Y8, Y5, Y5 \
	VPADDD Y9, Y7, Y7 \
	SCALED(shift, Y5, Y7, Y7) \
	VPMADDWD FACTORS(5), Y1, Y1 \
	VPMADDWD FACTORS(5), Y3, Y3 \
	VPADDD Y10, Y1, Y1 \
	VPADDD Y11, Y3, Y3 \
	SCALED(shift, Y1, Y3, Y1) \
	VPUNPCKLWD Y14, Y13, Y12 \
	VPUNPCKHWD Y14, Y13, Y15 \
	VPMADDWD FACTORS(6), Y12, Y5 \
	VPMADDWD FACTORS(6), Y15, Y3 \
	VPADDD Y10, Y5, Y5 \
	VPADDD Y11, Y3, Y3 \
	SCALED(shift, Y5, Y3, Y5) \
	VPMADDWD FACTORS(7), Y12, Y12 \
	VPMADDWD FACTORS(7), Y15, Y15 \
	VPADDD Y8, Y12, Y12 \
	VPADDD Y9, Y15, Y15 \
	SCALED(shift, Y12, Y15, Y3)

#define LOAD(y) \
	VPMOVZXBW (DX), y \
	VPSUBW MIDDLE, y, y \
	ADDQ CX, DX

#define QUANTISE(row, y) \
	VPABSW y, Y8 \
	VPADDW ADD(row), Y8, Y8 \
	VPMULHUW RECIPROCAL(row), Y8, Y8 \
	VPMULHUW SCALE(row), Y8, Y8 \
	VPSIGNW y, Y8, y

// FIRST and MORE gather a zigzag row in y from the rows of a block.
#define FIRST(i, row, y) \
	VPSHUFB SHUFFLE(i), row, y

#define MORE(i, row, y) \
	VPSHUFB SHUFFLE(i), row, Y10 \
	VPOR Y10, y, y

// STORE writes zigzag rows i and i+1, in Y8 and Y9, and leaves in AX which numbers are zero: 16 bits of the first block,
// then 16 of the second.
#define STORE(i) \
	VMOVDQU X8, (i*16)(DI) \
	VEXTRACTI128 $1, Y8, (i*16+128)(DI) \
	VMOVDQU X9, (i*16+16)(DI) \
	VEXTRACTI128 $1, Y9, (i*16+144)(DI) \
	VPCMPEQW Y15, Y8, Y8 \
	VPCMPEQW Y15, Y9, Y9 \
	VPACKSSWB Y9, Y8, Y8 \
	VPMOVMSKB Y8, AX

// COUNT adds the bits of AX to R12 and R13, the masks of the two blocks.
#define COUNT(i) \
	MOVWLZX AX, R14 \
	SHRL $16, AX \
	SHLQ $(16*i), R14 \
	SHLQ $(16*i), AX \
	ORQ R14, R12 \
	ORQ AX, R13

// func transformPairs(coef *int16, nonzero *uint64, samples *byte, stride, n int, q *quantiser, c *transformConstants)
TEXT ·transformPairs(SB), NOSPLIT, $0-56
	MOVQ coef+0(FP), DI
	MOVQ nonzero+8(FP), BX
	MOVQ samples+16(FP), SI
	MOVQ stride+24(FP), CX
	MOVQ n+32(FP), R11
	MOVQ q+40(FP), R8
	MOVQ c+48(FP), R9

pair:
	MOVQ SI, DX
	LOAD(Y0)
	LOAD(Y1)
	LOAD(Y2)
	LOAD(Y3)
	LOAD(Y4)
	LOAD(Y5)
	LOAD(Y6)
	LOAD(Y7)

	// along the rows
	TRANSPOSE
	BUTTERFLY
	VPSLLW $2, Y0, Y0
	VPSLLW $2, Y4, Y4
	PRODUCTS(ROUND1, $11)

	// along the columns
	TRANSPOSE
	BUTTERFLY
	VPADDW TWO, Y0, Y0
	VPADDW TWO, Y4, Y4
	VPSRAW $2, Y0, Y0
	VPSRAW $2, Y4, Y4
	PRODUCTS(ROUND2, $15)

	QUANTISE(0, Y0)
	QUANTISE(1, Y1)
	QUANTISE(2, Y2)
	QUANTISE(3, Y3)
	QUANTISE(4, Y4)
	QUANTISE(5, Y5)
	QUANTISE(6, Y6)
	QUANTISE(7, Y7)

	VPXOR Y15, Y15, Y15
	XORL  R12, R12
	XORL  R13, R13
	FIRST(0, Y0, Y8)
	MORE(1, Y1, Y8)
	MORE(2, Y2, Y8)
	FIRST(3, Y0, Y9)
	MORE(4, Y1, Y9)
	MORE(5, Y2, Y9)
	MORE(6, Y3, Y9)
	MORE(7, Y4, Y9)
	STORE(0)
	COUNT(0)
	FIRST(8, Y1, Y8)
	MORE(9, Y2, Y8)
	MORE(10, Y3, Y8)
	MORE(11, Y4, Y8)
	MORE(12, Y5, Y8)
	MORE(13, Y6, Y8)
	FIRST(14, Y0, Y9)
	MORE(15, Y1, Y9)
	MORE(16, Y2, Y9)
	MORE(17, Y3, Y9)
	STORE(2)
	COUNT(1)
	FIRST(18, Y4, Y8)
	MORE(19, Y5, Y8)
	MORE(20, Y6, Y8)
	MORE(21, Y7, Y8)
	FIRST(22, Y1, Y9)
	MORE(23, Y2, Y9)
	MORE(24, Y3, Y9)
	MORE(25, Y4, Y9)
	MORE(26, Y5, Y9)
	MORE(27, Y6, Y9)
	STORE(4)
	COUNT(2)
	FIRST(28, Y3, Y8)
	MORE(29, Y4, Y8)
	MORE(30, Y5, Y8)
	MORE(31, Y6, Y8)
	MORE(32, Y7, Y8)
	FIRST(33, Y5, Y9)
	MORE(34, Y6, Y9)
	MORE(35, Y7, Y9)
	STORE(6)
	COUNT(3)
	NOTQ R12
	NOTQ R13
	MOVQ R12, (BX)
	MOVQ R13, 8(BX)

	ADDQ $256, DI
	ADDQ $16, BX
	ADDQ $16, SI
	DECQ R11
	JNZ  pair
	VZEROUPPER
	RET

// func convertGroups(y, cb, cr, row *byte, half, n int, c *colours)
TEXT ·convertGroups(SB), NOSPLIT, $0-56
	MOVQ y+0(FP), DI
	MOVQ cb+8(FP), BX
	MOVQ cr+16(FP), DX
	MOVQ row+24(FP), SI
	MOVQ half+32(FP), R8
	MOVQ n+40(FP), R11
	MOVQ c+48(FP), R9
	VMOVDQU (R9), Y8       // redGreen
	VMOVDQU 32(R9), Y9     // blueGreen
	VMOVDQU 64(R9), Y10    // lumaRG
	VMOVDQU 96(R9), Y11    // lumaBG
	VMOVDQU 128(R9), Y12   // cbRG
	VMOVDQU 160(R9), Y13   // crBG
	VMOVDQU 224(R9), Y14   // middle
	VMOVDQU 256(R9), Y15   // order

group:
	VMOVDQU     (SI), X0
	VINSERTI128 $1, (SI)(R8*1), Y0, Y0
	VPSHUFB     Y8, Y0, Y1
	VPSHUFB     Y9, Y0, Y2

	VPMADDWD Y10, Y1, Y3
	VPMADDWD Y11, Y2, Y4
	VPADDD   Y4, Y3, Y3
	VPADDD   192(R9), Y3, Y3 // halves
	VPSRLD   $16, Y3, Y3

	VPMADDWD Y12, Y1, Y4
	VPSLLD   $16, Y2, Y5
	VPSRLD   $1, Y5, Y5 // blue times 32768
	VPADDD   Y5, Y4, Y4
	VPADDD   Y14, Y4, Y4
	VPSRLD   $16, Y4, Y4

	VPMADDWD Y13, Y2, Y5
	VPSLLD   $16, Y1, Y6
	VPSRLD   $1, Y6, Y6 // red times 32768
	VPADDD   Y6, Y5, Y5
	VPADDD   Y14, Y5, Y5
	VPSRLD   $16, Y5, Y5

	VPACKUSDW    Y4, Y3, Y3
	VPACKUSDW    Y5, Y5, Y5
	VPACKUSWB    Y5, Y3, Y3
	VPERMD       Y3, Y15, Y3
	VMOVQ        X3, (DI)
	VPEXTRQ      $1, X3, (BX)
	VEXTRACTI128 $1, Y3, X3
	VMOVQ        X3, (DX)

	LEAQ (SI)(R8*2), SI
	ADDQ $8, DI
	ADDQ $8, BX
	ADDQ $8, DX
	DECQ R11
	JNZ  group
	VZEROUPPER
	RET

// PUT appends R12 bits, which stand in R14, to the R10 bits in R9, and writes 32 of them if there are.
#define PUT(done) \
	SHLXQ R12, R9, R9 \
	ORQ R14, R9 \
	ADDQ R12, R10 \
	CMPQ R10, $32 \
	JCS done \
	SUBQ $32, R10 \
	SHRXQ R10, R9, R14 \
	BSWAPL R14 \
	MOVL R14, (R8) \
	ADDQ $4, R8

// func encodeValues(plain *byte, ac *codeTable, block *[64]int16, nonzero, acc uint64, n uint) (written int, newAcc uint64, newN uint)
TEXT ·encodeValues(SB), NOSPLIT, $0-72
	MOVQ  plain+0(FP), R8
	MOVQ  ac+8(FP), SI
	MOVQ  block+16(FP), DI
	MOVQ  nonzero+24(FP), DX
	MOVQ  acc+32(FP), R9
	MOVQ  n+40(FP), R10
	XORL  R11, R11             // where the value before stands
	TESTQ DX, DX
	JZ    end

value:
	TZCNTQ  DX, AX
	BLSRQ   DX, DX
	MOVWQSX (DI)(AX*2), BX
	MOVQ    AX, CX
	SUBQ    R11, CX            // one more than the run of zeros
	MOVQ    AX, R11

run:
	CMPQ CX, $16
	JHI  zeros

	// the value's bits in R13, 64 less its size in BX
	MOVQ   BX, R12
	SARQ   $63, R12
	LEAQ   (BX)(R12*1), R13
	MOVQ   R13, BX
	XORQ   R12, BX
	LZCNTQ BX, BX
	MOVL   $64, R15
	SUBQ   BX, R15
	BZHIQ  R15, R13, R13

	// the symbol is run*16 + size
	SHLQ $4, CX
	SUBQ BX, CX
	MOVL 192(SI)(CX*4), R14
	MOVL R14, R12
	ANDL $31, R12
	SHRL $5, R14
	ORQ  R13, R14
	PUT(next)

next:
	TESTQ DX, DX
	JNZ   value

end:
	SUBQ plain+0(FP), R8
	MOVQ R8, written+48(FP)
	MOVQ R9, newAcc+56(FP)
	MOVQ R10, newN+64(FP)
	RET

zeros:
	SUBQ $16, CX
	MOVL (4*0xF0)(SI), R14
	MOVL R14, R12
	ANDL $31, R12
	SHRL $5, R14
	PUT(run)
	JMP  run
