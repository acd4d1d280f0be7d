/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c - all arrays of a training and their sizes, before any of them is there. */
#include "base/status.h"
#include "gpt2/trainer_parts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- what there is ---- */

/* A number in a file of the kernel's: at the start, or behind `key`. */
static bool number_in(const char *path, const char *key, unsigned long long *out)
{
    FILE *f = fopen(path, "re");
    if (!f) return false;
    char line[128];
    bool found = false;
    size_t n = strlen(key);
    while (!found && fgets(line, sizeof line, f)) found = !strncmp(line, key, n) && sscanf(line + n, "%llu", out) == 1;
    fclose(f);
    return found;
}

/* Bytes that could be had: what the system calls available, within the limit that a container sets; where neither is
 * said, half of what is built in. */
static double memory_there(void)
{
    unsigned long long kib, most, used;
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    double there = pages > 0 && page > 0 ? (double)pages * (double)page / 2 : 0x1p31;
    if (number_in("/proc/meminfo", "MemAvailable:", &kib)) there = (double)kib * 1024;
    if (number_in("/sys/fs/cgroup/memory.max", "", &most) && number_in("/sys/fs/cgroup/memory.current", "", &used)) {
        double left = most > used ? (double)(most - used) : 0;
        if (left < there) there = left;
    }
    return there;
}

/* ---- what is needed ---- */

size_t tdm_trainer_learned(tdm_gpt2_shape s, const tdm_gpt2_trainer_options *o)
{
    return o->lora ? o->lora->n + o->rows * s.C : tdm_gpt2_count(s);
}

typedef struct array {
    float **at;
    size_t n;
} array;

/* Places arrays at block + from, each on a cache line of its own; returns where they end. */
static size_t lay(const array *list, size_t n, float *block, size_t from)
{
    for (size_t k = 0; k < n; k++) {
        if (block) *list[k].at = block + from;
        from += (list[k].n + 15) / 16 * 16;
    }
    return from;
}

size_t tdm_trainer_place(tdm_trainer_arrays *a, float *block, tdm_gpt2_shape s, const tdm_gpt2_trainer_options *o,
                         size_t rooms, size_t *flow)
{
    const size_t N = o->most, row = N * s.C, longest = s.T < N ? s.T : N, tiles = tdm_tiles_most(N),
                 low = o->lora ? TDM_LORA_SITES * N * o->lora->o.rank : 0,
                 dropped = o->lora && o->lora->o.dropout > 0 ? row : 0;
    const array keep[] = {{&a->x, (s.L + 1) * row},
                          {&a->out, row},
                          {&a->stat, 2 * N},
                          {&a->rooms, rooms * tdm_layer_floats(s, N)},
                          {&a->lora.low, s.L * low}};
    const array back[] = {{&a->back.dx, row},
                          {&a->back.dmlp, row},
                          {&a->back.dmix, row},
                          {&a->back.tmp, row},
                          {&a->back.dqkv, 3 * row},
                          {&a->back.dfc, 4 * row},
                          {&a->norms, tiles * 4 * s.C},
                          {&a->scratch, tiles * tdm_attention_floats(longest)},
                          {&a->lora.dlow, low},
                          {&a->lora.dropped, 7 * dropped},
                          {&a->lora.masked, 4 * dropped}};
    size_t kept = lay(keep, sizeof keep / sizeof *keep, block, 0),
           all = lay(back, sizeof back / sizeof *back, block, kept);
    *flow = all - kept;
    return all;
}

tdm_status tdm_gpt2_plan_make(tdm_gpt2_plan *out, tdm_gpt2_shape s, const tdm_gpt2_trainer_options *o, tdm_err *err)
{
    tdm_trainer_arrays none;
    const size_t real = sizeof(float), learned = tdm_trainer_learned(s, o);
    tdm_gpt2_plan p = {.weights = tdm_gpt2_count(s) * real,
                       .adapters = o->lora ? o->lora->n * real : 0,
                       .gradients = learned * real,
                       .moments = 2 * learned * real,
                       .logits = tdm_head_floats(s, o->most) * real,
                       .layers = s.L};
    /* weights are there already; a quarter of what is left is left */
    double allowed = o->memory ? (double)o->memory : (double)(p.weights + p.adapters) + 0.75 * memory_there();
    for (size_t rooms = s.L;; rooms--) {
        size_t flow, floats = tdm_trainer_place(&none, NULL, s, o, rooms, &flow);
        p.activations = (floats - flow) * real;
        p.scratch = flow * real;
        p.remade = s.L - rooms;
        p.all = p.weights + p.adapters + p.gradients + p.moments + p.activations + p.logits + p.scratch;
        if ((double)p.all <= allowed || rooms == 1) break;
    }
    *out = p;
    if (o->memory && p.all > o->memory)
        return tdm_fail(err, TDM_E_NOMEM,
                        "training a GPT-2 takes %.0f MB at least, and %.0f MB are allowed: allow more, or fewer tokens at once",
                        (double)p.all / 1e6, (double)o->memory / 1e6);
    return TDM_OK;
}

void tdm_gpt2_plan_say(const tdm_gpt2_plan *p, char out[TDM_PLAN_TEXT])
{
    const struct {
        const char *name;
        size_t bytes;
    } list[] = {{"weights", p->weights}, {"adapters", p->adapters},       {"gradients", p->gradients},
                {"moments", p->moments}, {"activations", p->activations}, {"logits", p->logits},
                {"scratch", p->scratch}};
    size_t at = 0;
    for (size_t k = 0; k < sizeof list / sizeof *list; k++)
        if (list[k].bytes)
            at += (size_t)snprintf(out + at, TDM_PLAN_TEXT - at, "%s %.0f MB, ", list[k].name,
                                   (double)list[k].bytes / 1e6);
    at += (size_t)snprintf(out + at, TDM_PLAN_TEXT - at, "in all %.0f MB", (double)p->all / 1e6);
    if (p->remade)
        snprintf(out + at, TDM_PLAN_TEXT - at, "; %zu of %zu blocks are made again in backward", p->remade, p->layers);
}

void tdm_gpt2_plan_log(const tdm_gpt2_plan *p, tdm_run *run, const char *stage)
{
    char text[TDM_PLAN_TEXT];
    tdm_gpt2_plan_say(p, text);
    tdm_log(run, TDM_LOG_INFO, stage, "memory: %s", text);
}
