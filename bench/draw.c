/* SPDX-License-Identifier: Apache-2.0 */
/* draw.c - what one draw from the logits of 50,257 tokens costs, beside the one pass over them that gives its
 * log-probability. */
#include "measure.h"

#include "base/mem.h"
#include "base/status.h"
#include "gpt2/sample.h"

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

int main(void)
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
    return 0;
}
