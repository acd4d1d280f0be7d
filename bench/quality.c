/* SPDX-License-Identifier: Apache-2.0 */
/* quality.c - what packed weights cost: a GPT-2 with words reads texts with its weights as they are, as bf16 and as
 * int8, side by side.
 *
 *     bench_quality MODEL [tokens]            a model of tandem's with gpt2-words: the documents of the people whom its
 *                                             training left out to measure itself by, weighted as there (seed 1)
 *     bench_quality FOLDER TEXT [tokens]      a GPT-2 with its vocabulary, and any text, in windows of 256 tokens
 *
 * Default: 8,192 tokens. Prints the perplexity of each; how far the logits lie from those of floats: the root of their
 * mean square against that of the logits around their mean, the mean and the largest difference; how much of the
 * probability went elsewhere (the mean of half the sum of |p - q|); and at how many places the likeliest token is the
 * same. */
#include "measure.h"

#include "api/bundle.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/run.h"
#include "gpt2/decode.h"
#include "gpt2/words_parts.h"
#include "text/bpe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { KINDS = 3, TEXTS = 16, WINDOW = 256 };

/* ---- what is read ---- */

/* n texts: text i is token[start[i] .. start[i + 1]), its tokens count by weight (NULL: 1 each). */
typedef struct texts {
    const uint32_t *token;
    const float *weight;
    uint32_t *start;
    size_t n, longest;
} texts;

typedef struct source {
    tdm_gpt2 *g; /* of the model, or its own */
    texts t;
    tdm_bundle *model;
    tdm_docs docs, held;
    tdm_tokens tokens;
} source;

static void fine(tdm_status st, const tdm_err *err)
{
    if (st) bench_stop(err->msg);
}

/* The first texts that hold `wanted` tokens, all where there are fewer. */
static void cut(texts *t, size_t wanted)
{
    while (t->n > 1 && t->start[t->n - 1] >= wanted) t->n--;
    for (size_t i = 0; i < t->n; i++)
        if (t->start[i + 1] - t->start[i] > t->longest) t->longest = t->start[i + 1] - t->start[i];
    if (!t->n || t->longest < 2) bench_stop("there is no text of two tokens to read");
}

static void open_model(source *s, const char *folder, tdm_run *run)
{
    tdm_err err;
    const tdm_model *m;
    fine(tdm_bundle_open(&s->model, folder, &err), &err);
    fine(tdm_bundle_model(s->model, &m, tdm_gpt2_words_ops.name, &err), &err);
    fine(tdm_docs_make(&s->docs, &s->held, (const tdm_words *)m, run, &err), &err);
    s->g = ((const tdm_words *)m)->g;
    s->t = (texts){s->held.all.token.at, s->held.all.weight, s->held.start, s->held.n, 0};
}

static void open_text(source *s, const char *folder, const char *path)
{
    tdm_err err;
    tdm_bpe *b;
    tdm_map map;
    fine(tdm_gpt2_load(&s->g, folder, &err), &err);
    fine(tdm_bpe_open(&b, folder, &err), &err);
    fine(tdm_map_open(&map, path, &err), &err);
    fine(tdm_bpe_encode(b, &s->tokens, (tdm_str){(const char *)map.p, map.n}, &err), &err);
    size_t window = s->g->s.T < WINDOW ? s->g->s.T : WINDOW, n = s->tokens.n / window;
    s->t = (texts){s->tokens.at, NULL, tdm_new(n + 1, sizeof *s->t.start), n, 0};
    if (!s->t.start) bench_stop("not enough memory");
    for (size_t i = 0; i <= n; i++) s->t.start[i] = (uint32_t)(i * window);
    tdm_map_close(&map);
    tdm_bpe_close(b);
}

static void source_close(source *s)
{
    if (s->model) tdm_bundle_close(s->model);
    else {
        tdm_gpt2_close(s->g);
        tdm_free(s->t.start);
    }
    tdm_docs_clear(&s->docs);
    tdm_docs_clear(&s->held);
    tdm_free(s->tokens.at);
}

/* ---- what it says ---- */

typedef struct told {
    double loss, mass, square, spread, mean, most, moved;
    size_t places, same;
} told;

static double mass_of(const float *l, size_t n, float most)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += exp((double)l[i] - (double)most);
    return sum;
}

/* Of one place: l are its logits, `exact` those of floats; `next` comes, and counts by `weight`. */
static void place(told *t, const float *l, const float *exact, size_t n, uint32_t next, double weight)
{
    const tdm_kernels *k = tdm_kernels_best();
    float most = k->max(l, n), best = k->max(exact, n);
    double sum = mass_of(l, n, most), whole = mass_of(exact, n, best), mean = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)l[i] - (double)exact[i]);
        t->square += d * d / (double)n;
        t->mean += d / (double)n;
        t->most = fmax(t->most, d);
        t->moved += fabs(exp((double)l[i] - (double)most) / sum - exp((double)exact[i] - (double)best) / whole) / 2;
        mean += (double)exact[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) t->spread += ((double)exact[i] - mean) * ((double)exact[i] - mean) / (double)n;
    for (size_t i = 0; i < n; i++)
        if (exact[i] == best) {
            t->same += l[i] == most;
            break;
        }
    t->loss += weight * (log(sum) + (double)most - (double)l[next]);
    t->mass += weight;
    t->places++;
}

/* Texts first .. first + n side by side, a token of each at a step; one that has ended is left out. */
static void read_some(told *sum, tdm_decoder *const *d, float *const *logits, const texts *t, size_t first, size_t n,
                      size_t V)
{
    tdm_err err;
    for (size_t at = 0; at + 1 < t->longest; at++) {
        size_t text[TEXTS], rows = 0;
        uint32_t token[TEXTS], where[TEXTS];
        for (size_t i = 0; i < n; i++) {
            uint32_t from = t->start[first + i] + (uint32_t)at;
            if (from + 1 >= t->start[first + i + 1]) continue;
            text[rows] = i;
            where[rows] = from + 1;
            token[rows++] = t->token[from];
        }
        for (int k = 0; rows && k < KINDS; k++) {
            for (size_t i = 0; !at && i < TEXTS; i++) tdm_decoder_rewind(d[k], i, 0);
            fine(tdm_decoder_step(d[k], text, token, rows, &err), &err);
            tdm_decoder_logits(d[k], logits[k], rows);
            for (size_t i = 0; i < rows; i++) {
                double weight = t->weight ? (double)t->weight[where[i]] : 1;
                if (weight > 0) place(&sum[k], logits[k] + i * V, logits[0] + i * V, V, t->token[where[i]], weight);
            }
        }
    }
}

int main(int argc, char **argv)
{
    static const char *const kinds[KINDS] = {"fp32", "bf16", "int8"};
    tdm_err err;
    tdm_run *run;
    source s = {0};
    told sum[KINDS] = {0};
    tdm_gpt2_packed *p[KINDS];
    tdm_decoder *d[KINDS];
    float *logits[KINDS];
    if (argc < 2) bench_stop("use: bench_quality MODEL [tokens], or bench_quality FOLDER TEXT [tokens]");
    fine(tdm_run_open(&run, &(tdm_run_options){.seed = 1}, &err), &err);
    char *manifest = tdm_path_join(argv[1], "tandem.json");
    bool model = manifest && tdm_file_exists(manifest);
    tdm_free(manifest);
    if (!model && argc < 3) bench_stop("use: bench_quality FOLDER TEXT [tokens]; only a model has texts of its own");
    const char *wanted = argv[model ? 2 : 3]; /* NULL where there is none: argv ends with it */
    if (model) open_model(&s, argv[1], run);
    else open_text(&s, argv[1], argv[2]);
    cut(&s.t, wanted ? strtoul(wanted, NULL, 10) : 8192);
    const size_t V = s.g->s.V;
    for (int k = 0; k < KINDS; k++) {
        logits[k] = tdm_new(TEXTS, V * sizeof **logits);
        if (!logits[k]) bench_stop("not enough memory");
        fine(tdm_gpt2_packed_open(&p[k], s.g, (tdm_weights)k, run->pool, &err), &err);
        fine(tdm_decoder_open(&d[k], p[k], TEXTS, s.t.longest, run->pool, &err), &err);
    }
    for (size_t at = 0; at < s.t.n; at += TEXTS)
        read_some(sum, d, logits, &s.t, at, s.t.n - at < TEXTS ? s.t.n - at : TEXTS, V);
    printf("%zu texts, %zu places of %zu tokens, %zu weights\n", s.t.n, sum[0].places, V, s.g->n);
    for (int k = 0; k < KINDS; k++) {
        const told *t = &sum[k];
        double ppl = exp(t->loss / t->mass), plain = exp(sum[0].loss / sum[0].mass), n = (double)t->places;
        printf("%s  perplexity %9.4f (%+.3f %%)  logits off by %.4f of their spread, %.4f in the mean, %.4f at most  "
               "probability moved %.4f  the same token first at %.2f %%\n",
               kinds[k], ppl, 100 * (ppl / plain - 1), sqrt(t->square / t->spread), t->mean / n, t->most, t->moved / n,
               100 * (double)t->same / n);
        tdm_decoder_close(d[k]);
        tdm_gpt2_packed_close(p[k]);
        tdm_free(logits[k]);
    }
    source_close(&s);
    tdm_run_close(run);
    return 0;
}
