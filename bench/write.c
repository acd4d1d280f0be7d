/* SPDX-License-Identifier: Apache-2.0 */
/* write.c - what drawing, scoring and searching cost: one draw from the logits of 50,257 tokens, beside the one pass
 * over them that gives its log-probability; titles behind a prompt, scored at once or as whole texts; beams. One
 * thread. */
#include "measure.h"

#include "base/mem.h"
#include "base/status.h"
#include "gpt2/beam.h"
#include "gpt2/sample.h"
#include "gpt2/score.h"

#include <stdio.h>

enum { V = 50257, EVERY = 3 };

typedef struct draw {
    tdm_sampler *s;
    float *logits;
    uint32_t *allowed;
    tdm_choice from;
    tdm_sampling how;
    tdm_rng rng;
    double sink;
} draw;

static void one(void *p)
{
    draw *d = p;
    double logp;
    tdm_sample(d->s, d->logits, &d->from, &d->how, &d->rng, &logp);
    d->sink += logp;
}

static void mass(void *p)
{
    draw *d = p;
    d->sink += tdm_log_mass(d->logits, V);
}

static void draws(void)
{
    static const struct {
        const char *name;
        tdm_sampling how;
        bool allowed;
    } way[] = {
        {"greedy", {.temperature = 0}, false},
        {"temperature 1", {.temperature = 1}, false},
        {"top_k 40", {.temperature = 0.6f, .top_k = 40}, false},
        {"top_k 40, top_p 0.9", {.temperature = 0.6f, .top_k = 40, .top_p = 0.9f}, false},
        {"... of two thirds of them", {.temperature = 0.6f, .top_k = 40, .top_p = 0.9f}, true},
        {"top_p 0.9", {.temperature = 1, .top_p = 0.9f}, false},
        {"min_p 0.05", {.temperature = 1, .min_p = 0.05f}, false},
        {"penalty 1.2, top_k 40", {.temperature = 0.6f, .top_k = 40, .penalty = 1.2f}, false},
    };
    draw d = {
        .logits = tdm_new(V, sizeof(float)), .allowed = tdm_new(V, sizeof(uint32_t)), .rng = tdm_rng_make(1, 0, 0)};
    if (!d.logits || !d.allowed || tdm_sampler_open(&d.s, V, NULL)) bench_stop("not enough memory");
    size_t n = 0;
    for (uint32_t v = 0; v < V; v++) {
        d.logits[v] = (float)(3 * tdm_rng_normal(&d.rng)); /* as spread out as GPT-2's are */
        if (v % EVERY) d.allowed[n++] = v;
    }
    double pass = bench_best(mass, &d);
    printf("%-28s%9.1f us\n", "one pass, exp and sum", 1e6 * pass);
    for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
        d.how = way[i].how;
        d.from = way[i].allowed ? (tdm_choice){.allowed = d.allowed, .n = n} : (tdm_choice){0};
        d.from.said = d.allowed;
        d.from.n_said = 64;
        double t = bench_best(one, &d);
        printf("%-28s%9.1f us, %.1f passes\n", way[i].name, 1e6 * t, t / pass);
    }
    tdm_sampler_close(d.s);
    tdm_free(d.logits);
    tdm_free(d.allowed);
}

/* ---- titles behind a prompt ---- */

enum { PROMPT = 120, TITLES = 64, LONG = 8, LENGTH = PROMPT + LONG };
static const tdm_gpt2_shape shape = {.V = 8000, .T = 256, .C = 128, .L = 2, .H = 4}; /* gpt2-words, from scratch */

typedef struct titles {
    tdm_gpt2 *g;
    tdm_gpt2_packed *p;
    uint32_t whole[TITLES * LENGTH], whole_start[TITLES + 1], target[TITLES * LENGTH];
    uint32_t token[TITLES * LONG], start[TITLES + 1];
    float logp[TITLES * LENGTH];
    double sum[TITLES];
    size_t width;
} titles;

static void as_whole_texts(void *p)
{
    titles *t = p;
    const tdm_gpt2_batch b = {
        .token = t->whole, .start = t->whole_start, .S = TITLES, .N = TITLES * LENGTH, .target = t->target};
    if (tdm_gpt2_logp(t->g, t->logp, &b, NULL)) bench_stop("not enough memory");
}

static void at_once(void *p)
{
    titles *t = p;
    if (tdm_gpt2_score(t->p, t->sum, NULL, t->whole, PROMPT, t->token, t->start, TITLES, NULL, NULL))
        bench_stop("not enough memory");
}

static void beam(void *p)
{
    titles *t = p;
    tdm_beam b;
    const tdm_beam_options o = {.width = t->width, .most = 2 * LONG};
    if (tdm_beam_search(&b, t->p, t->whole, PROMPT, &o, NULL, NULL)) bench_stop("not enough memory");
    tdm_beam_clear(&b);
}

static void continuations(void)
{
    titles *t = tdm_new(1, sizeof *t);
    tdm_rng r = tdm_rng_make(2, 0, 0);
    if (!t || tdm_gpt2_open(&t->g, shape, NULL)) bench_stop("not enough memory");
    tdm_gpt2_init(t->g, 3);
    if (tdm_gpt2_packed_open(&t->p, t->g, TDM_WEIGHTS_F32, NULL, NULL)) bench_stop("not enough memory");
    for (size_t q = 0; q < TITLES; q++) {
        t->whole_start[q + 1] = (uint32_t)((q + 1) * LENGTH);
        t->start[q + 1] = (uint32_t)((q + 1) * LONG);
        for (size_t i = 0; i < LENGTH; i++)
            t->whole[q * LENGTH + i] = q && i < PROMPT ? t->whole[i] : (uint32_t)tdm_rng_below(&r, shape.V);
        for (size_t i = 0; i < LENGTH; i++)
            t->target[q * LENGTH + i] =
                i + 1 < PROMPT || i + 1 == LENGTH ? TDM_GPT2_SILENT : t->whole[q * LENGTH + i + 1];
        for (size_t i = 0; i < LONG; i++) t->token[q * LONG + i] = t->whole[q * LENGTH + PROMPT + i];
    }
    double whole = bench_best(as_whole_texts, t), once = bench_best(at_once, t), one = 0;
    printf("%d titles of %d tokens behind %d, as whole texts %.2f ms, at once %.2f ms: %.1f times as fast\n", TITLES,
           LONG, PROMPT, 1e3 * whole, 1e3 * once, whole / once);
    for (t->width = 1; t->width <= 16; t->width *= 4) {
        double s = bench_best(beam, t);
        if (t->width == 1) one = s;
        printf("beam of %2zu, %d tokens behind %d, %.2f ms, %.1f times that of one\n", t->width, 2 * LONG, PROMPT,
               1e3 * s, s / one);
    }
    tdm_gpt2_packed_close(t->p);
    tdm_gpt2_close(t->g);
    tdm_free(t);
}

int main(void)
{
    draws();
    continuations();
    return 0;
}
