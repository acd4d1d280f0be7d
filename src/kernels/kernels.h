/* SPDX-License-Identifier: Apache-2.0 */
/* kernels.h - dense CPU kernels on floats, one table per instruction set, chosen once by what the processor has.
 *
 * The plain C table is the definition of correct. Matrix products (gemm.c) are made on the calling thread: the
 * pool hands out tiles whose borders depend on shapes only. Arrays need no alignment and, unless said, do not overlap. */
#ifndef TDM_KERNELS_KERNELS_H
#define TDM_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* AVX2 means AVX2 and FMA; AVX512 means F, BW, DQ and VL; NEON is what every 64-bit ARM processor has;
 * VNNI and BF16 are AVX-512's products of bytes and of bf16. */
enum { TDM_CPU_AVX2 = 1, TDM_CPU_AVX512 = 2, TDM_CPU_NEON = 4, TDM_CPU_VNNI = 8, TDM_CPU_BF16 = 16 };

/* What one AdamW update of an array needs: m and v are corrected by the two `fix` factors. */
typedef struct tdm_adamw_rates {
    float beta1, beta2, eps;
    float rate, fix1, fix2; /* learning rate; 1 / (1 - beta1^t); 1 / (1 - beta2^t) */
    float keep;             /* 1 - rate * decay */
    float scale;            /* of the gradients: clipping */
} tdm_adamw_rates;

/* One rating as gradient descent reads it: which row of P, which of Q, and how far it is from the mean. */
typedef struct tdm_sgd_rating {
    uint16_t p, q;
    float value;
} tdm_sgd_rating;

/* What a run of such steps works on; see sgd below. */
typedef struct tdm_sgd {
    float *P, *Q;                 /* rows of K, a multiple of TDM_PAD */
    const float *C;               /* rows added to those of P, which stay as they are; NULL: none */
    const float *pull_p, *pull_q; /* a number a row: by how much it is drawn towards 0 */
    const float *open;            /* 2 x TDM_PAD: 1 where the last numbers of a row of P, of Q, may change, else 0 */
    size_t K;
    float rate;
} tdm_sgd;

/* Rows as int8: x_k is about scale[k / TDM_GROUP] q[k]. n rows one behind another. */
typedef struct tdm_row_i8 {
    size_t in; /* a multiple of TDM_GROUP, zeros behind what there is */
    int8_t *q;      /* n x in */
    float *scale;   /* n x in / TDM_GROUP */
    int32_t *shift; /* the same: -128 times the sum of a group's q */
} tdm_row_i8;

typedef struct tdm_kernels {
    const char *isa;                                            /* "c", "avx2", "avx512", "neon" */
    float (*dot)(const float *a, const float *b, size_t n);     /* sum a_i b_i */
    void (*axpy)(float *y, float a, const float *x, size_t n);  /* y += a x */
    void (*scale)(float *y, float a, const float *x, size_t n); /* y = a x; y may be x */
    float (*sum)(const float *x, size_t n);
    float (*max)(const float *x, size_t n); /* largest, NaN passed over; -INFINITY for n = 0 */
    float (*exp_sum)(float *y, const float *x, float shift, size_t n); /* y_i = exp(x_i - shift); returns their sum;
                                                                        * y may be x; NaN stays NaN */

    /* x_i = 0 where 16 bits drawn for it are below `cut`, else x_i * up: element i has bits 16 (i % 4) .. of draw[i /
     * 4]. */
    void (*drop)(float *x, const uint64_t *draw, uint16_t cut, float up, size_t n);

    /* The GELU of GPT-2, x sigmoid(2 k (x + 0.044715 x^3)), k = sqrt(2 / pi), of x + bias, which is kept in x (y may be x: then it is not); and
     * dx = dy gelu'(x), where dx may be dy. */
    void (*gelu)(float *y, float *x, const float *bias, size_t n);
    void (*gelu_back)(float *dx, const float *dy, const float *x, size_t n);

    /* LayerNorm of a row: y = (x - mean) rstd w + b, with stat[0] = mean and stat[1] = rstd; and what flows back: dx
     * is added to, dw and db are added to. */
    void (*norm)(float *y, float stat[2], const float *x, const float *w, const float *b, size_t n);
    void (*norm_back)(float *dx, float *dw, float *db, const float *dy, const float *x, const float stat[2],
                      const float *w, size_t n);

    /* m = beta1 m + (1 - beta1) s g;  v = beta2 v + (1 - beta2) (s g)^2;
     * w = keep w - rate fix1 m / (sqrt(fix2 v) + eps), s = scale */
    void (*adamw)(float *w, float *m, float *v, const float *g, size_t n, const tdm_adamw_rates *r);

    /* Many small least-squares systems over gathered rows (small_spd.h says how they fit together). Everywhere here the
     * length of a row is a multiple of TDM_PAD, and so is a leading dimension.
     *
     * gather: row j of X[n x K] = w_j * row at[j] of Y; w NULL: 1.
     * gather_across: column j of Z[K x n] = w_j * row at[j] of Y, its element k times d_k; columns from n to the next
     *   multiple of TDM_PAD become 0.
     * gram: adds sign * X'X to the upper triangle of A[K x K]; below the diagonal A may change, up to TDM_PAD wide.
     * pull: r += sum_j (c_j - a_j (x_j . p)) x_j over the n rows of X; returns sum_j c_j (x_j . p). c NULL: 0.
     * gather_pull: gather without weights and pull, in one pass over the rows. */
    void (*gather)(float *X, const float *Y, size_t K, const uint32_t *at, const float *w, size_t n);
    void (*gather_across)(float *Z, size_t ldz, const float *Y, size_t K, const uint32_t *at, const float *w,
                          const float *d, size_t n);
    void (*gram)(float *A, size_t lda, const float *X, size_t ldx, size_t n, size_t K, float sign);
    double (*pull)(float *r, const float *X, size_t K, const float *a, const float *c, const float *p, size_t n);
    double (*gather_pull)(float *X, float *r, const float *Y, size_t K, const uint32_t *at, const float *a,
                          const float *c, const float *p, size_t n);

    /* A = U'U for a symmetric positive definite A of which the upper triangle is read; U takes its place, with the
     * reciprocals of its diagonal. A has room for n rounded up to TDM_PAD in both directions; what becomes of it below
     * the diagonal is between spd_factor and the spd_solve of the same table. False: A is not positive definite, as far
     * as floats can tell. spd_solve: x = A^-1 b from that; x and b hold n rounded up. */
    bool (*spd_factor)(float *A, size_t lda, size_t n);
    void (*spd_solve)(float *x, float *b, const float *A, size_t lda, size_t n); /* b is destroyed */

    /* Products of which few are wanted (above.inc), each summed from k = 0 to K - 1 whatever is asked beside it, so
     * that an item has the same score alone and in any batch. Rows of Y have K numbers, a multiple of TDM_PAD.
     *
     * above: goes through n rows of Y and TDM_WIDE columns of Z[K x TDM_WIDE] until some y . z_c > least[c]. Gives the
     *   row where the block begins in which that is so, n: nowhere. *rows is the length of the block, TDM_BLOCK at
     * most; bit c of hit[r] says which pass, and there P[r x TDM_WIDE + c] is the product. Go on behind the block.
     * products: p_i = y_i . x for n rows of Y. */
    size_t (*above)(float *P, uint64_t *hit, size_t *rows, const float *Y, size_t n, size_t K, const float *Z,
                    const float *least);
    void (*products)(float *p, const float *Y, size_t n, size_t K, const float *x);

    /* Few rows x (n x in) against one panel of TDM_PANEL columns of a weight matrix: what a token costs (packed.h).
     * Every sum runs over k in order with one rounding a step, so a row has the same product alone and in any batch.
     * f32: w lies as in x TDM_PANEL, rows ldw apart. across: w is columns x in, `columns` of them at most TDM_PANEL, and
     * `in` a multiple of TDM_PAD. bf16 and i8: packed. */
    void (*few_f32)(float *y, size_t ldy, const float *x, size_t ldx, size_t n, const float *w, size_t ldw, size_t in);
    void (*few_across)(float *y, size_t ldy, const float *x, size_t ldx, size_t n, const float *w, size_t columns,
                       size_t in);
    void (*few_bf16)(float *y, size_t ldy, const float *x, size_t ldx, size_t n, const uint16_t *w, size_t in);
    void (*few_i8)(float *y, size_t ldy, const tdm_row_i8 *x, size_t n, const uint8_t *w);

    /* n steps of stochastic gradient descent, one rating after the other (sgd.c). Returns the sum of e^2.
     *     e = value - (p + c) . q        p += rate (e q - pull_p p)        q += rate (e (p + c) - pull_q q) */
    double (*sgd)(const tdm_sgd *s, const tdm_sgd_rating *r, size_t n);
} tdm_kernels;

enum { TDM_WIDE = 48, TDM_BLOCK = 8, TDM_PANEL = 64, TDM_GROUP = 64 };

enum { TDM_PAD = 16 };
static inline size_t tdm_padded(size_t n) { return (n + TDM_PAD - 1) / TDM_PAD * TDM_PAD; }

/* What this processor has, as TDM_CPU_ bits. */
unsigned tdm_cpu_features(void);

/* The best table for `cpu`; a test asks for every table this machine can run. */
void tdm_kernels_init(tdm_kernels *k, unsigned cpu);

/* The table for this machine. */
const tdm_kernels *tdm_kernels_best(void);

/* Row-major C[M x N] = alpha op(A) op(B) + beta C on the calling thread; op is the transpose where t is not 0. lda is
 * the length of a row of A as stored. beta = 0 does not read C. Where M, N or K is 0, C stays. */
typedef void tdm_gemm_fn(int ta, int tb, size_t M, size_t N, size_t K, float alpha, const float *A, size_t lda,
                         const float *B, size_t ldb, float beta, float *C, size_t ldc);
tdm_gemm_fn tdm_gemm;

/* The same of A and B rounded to bf16 (ties to even), with sums in floats: mixed precision. */
tdm_gemm_fn tdm_gemm_bf16;
const char *tdm_gemm_bf16_name(void); /* in which way this machine makes it: "avx512_bf16", "rounded, avx512", ... */

#endif
