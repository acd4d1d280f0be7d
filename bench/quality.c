/* SPDX-License-Identifier: Apache-2.0 */
/* quality.c - what packed weights cost: a GPT-2 with words reads a text with its weights as they are, as bf16 and as
 * int8, side by side.
 *
 *     bench_quality FOLDER TEXT [tokens]      (default: 8,192; FOLDER is a GPT-2 with its vocabulary)
 *
 * Prints the perplexity of each, how far the logits lie from those of floats (the root of their mean square, against
 * that of the logits around their mean), how much of the probability went elsewhere (the mean of half the sum of |p -
 * q|), and at how many places the likeliest token is the same. */
#include "measure.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/run.h"
#include "gpt2/decode.h"
#include "text/bpe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { KINDS = 3, TEXTS = 16 };

typedef struct told {
    double loss, square, moved;
    size_t same;
} told;

static double mass_of(const float *l, size_t n, float most)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += exp((double)l[i] - (double)most);
    return sum;
}

/* Of one place: l are its logits, `exact` those of floats. Returns the variance of l. */
static double place(told *t, const float *l, const float *exact, size_t n, uint32_t next)
{
    const tdm_kernels *k = tdm_kernels_best();
    float most = k->max(l, n), best = k->max(exact, n);
    double sum = mass_of(l, n, most), whole = mass_of(exact, n, best), mean = 0, variance = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)l[i] - (double)exact[i];
        t->square += d * d / (double)n;
        t->moved += fabs(exp((double)l[i] - (double)most) / sum - exp((double)exact[i] - (double)best) / whole) / 2;
        mean += (double)l[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) variance += ((double)l[i] - mean) * ((double)l[i] - mean) / (double)n;
    for (size_t i = 0; i < n; i++)
        if (exact[i] == best) {
            t->same += l[i] == most;
            break;
        }
    t->loss += log(sum) + (double)most - (double)l[next];
    return variance;
}

int main(int argc, char **argv)
{
    static const char *const kinds[KINDS] = {"fp32", "bf16", "int8"};
    tdm_err err;
    tdm_run *run;
    tdm_gpt2 *g;
    tdm_bpe *b;
    tdm_map map;
    tdm_tokens tokens = {0};
    tdm_gpt2_packed *p[KINDS];
    tdm_decoder *d[KINDS];
    if (argc < 3) bench_stop("use: bench_quality FOLDER TEXT [tokens]");
    size_t wanted = argc > 3 ? strtoul(argv[3], NULL, 10) : 8192;
    if (tdm_run_open(&run, &(tdm_run_options){.seed = 1}, &err) || tdm_gpt2_load(&g, argv[1], &err) ||
        tdm_bpe_open(&b, argv[1], &err) || tdm_map_open(&map, argv[2], &err) ||
        tdm_bpe_encode(b, &tokens, (tdm_str){(const char *)map.p, map.n}, &err))
        bench_stop(err.msg);
    const size_t V = g->s.V, window = g->s.T < 256 ? g->s.T : 256;
    size_t n = tokens.n < wanted ? tokens.n : wanted, rounds = n / (TEXTS * window), places = 0;
    if (!rounds) bench_stop("the text is too short: it takes 16 windows of 256 tokens, or of the model's length");
    float *logits[KINDS];
    told sum[KINDS] = {0};
    double variance = 0;
    for (int k = 0; k < KINDS; k++) {
        logits[k] = tdm_new(TEXTS, V * sizeof **logits);
        if (!logits[k]) bench_stop("not enough memory");
        if (tdm_gpt2_packed_open(&p[k], g, (tdm_weights)k, run->pool, &err) ||
            tdm_decoder_open(&d[k], p[k], TEXTS, window, run->pool, &err))
            bench_stop(err.msg);
    }
    for (size_t r = 0; r < rounds; r++)
        for (size_t at = 0; at + 1 < window; at++) {
            size_t text[TEXTS];
            uint32_t token[TEXTS];
            const uint32_t *from = tokens.at + r * TEXTS * window + at;
            for (size_t i = 0; i < TEXTS; i++) {
                text[i] = i;
                token[i] = from[i * window];
            }
            for (int k = 0; k < KINDS; k++) {
                if (!at)
                    for (size_t i = 0; i < TEXTS; i++) tdm_decoder_rewind(d[k], i, 0);
                if (tdm_decoder_step(d[k], text, token, TEXTS, &err)) bench_stop(err.msg);
                tdm_decoder_logits(d[k], logits[k], TEXTS);
                for (size_t i = 0; i < TEXTS; i++) {
                    double v = place(&sum[k], logits[k] + i * V, logits[0] + i * V, V, from[i * window + 1]);
                    if (!k) variance += v;
                }
            }
            places += TEXTS;
        }
    printf("%zu places of %zu tokens, %zu weights\n", places, V, g->n);
    for (int k = 0; k < KINDS; k++) {
        double ppl = exp(sum[k].loss / (double)places), plain = exp(sum[0].loss / (double)places);
        printf("%s  perplexity %9.4f (%+.3f %%)  logits off by %.4f of their spread  probability moved %.4f  the same "
               "token first at %.2f %%\n",
               kinds[k], ppl, 100 * (ppl / plain - 1), sqrt(sum[k].square / variance), sum[k].moved / (double)places,
               100 * (double)sum[k].same / (double)places);
        tdm_decoder_close(d[k]);
        tdm_gpt2_packed_close(p[k]);
        tdm_free(logits[k]);
    }
    tdm_free(tokens.at);
    tdm_map_close(&map);
    tdm_bpe_close(b);
    tdm_gpt2_close(g);
    tdm_run_close(run);
    return 0;
}
