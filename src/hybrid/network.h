/* SPDX-License-Identifier: Apache-2.0 */
/* network.h - weights that depend on what everybody says. Inside this folder only.
 *
 * A voice is what a model says of an item: P of them from the whole history, P more from its last item alone. Beside
 * the ranks and gates of fusion.h they are the input of a small network whose output is a weight for each voice:
 *
 *     x = (voices, ranks, P(i), S(i), L)    h = max(0, x A + a)    w = h B + b    score(i) = sum over voices: voice * w
 *
 * So a score is still a sum over models, and the parts of a recommendation stay exact. */
#ifndef TDM_HYBRID_NETWORK_H
#define TDM_HYBRID_NETWORK_H

#include "base/json.h"
#include "base/run.h"
#include "hybrid/listwise.h"

typedef struct tdm_network {
    size_t P, H;    /* H = 0: there is none */
    float *A, *a;   /* F x H and H, F = 3 P + 3 */
    float *B, *b;   /* H x 2 P and 2 P */
    float *numbers; /* all four, in this order; owned */
} tdm_network;

static inline size_t tdm_network_inputs(size_t P) { return 3 * P + 3; }
static inline size_t tdm_network_size(size_t P, size_t H) { return tdm_network_inputs(P) * H + H + H * 2 * P + 2 * P; }

/* All zero, for H hidden units. */
tdm_status tdm_network_init(tdm_network *n, size_t P, size_t H, tdm_err *err);
void tdm_network_clear(tdm_network *n); /* all-zero is fine */

/* What the learning is told. */
typedef struct tdm_network_plan {
    const double *linear; /* TDM_GATES P: the weights of listwise.h, which it begins from and has to beat */
    double length_scale;  /* what tdm_list.length was multiplied by */
    uint64_t seed;
} tdm_network_plan;

/* Learns from the lists by AdamW. A network is kept, and fitted again on all lists, only where it foretells a fifth
 * that is left out better than the linear weights do, by more than one standard error of the difference; else out->H is
 * 0. Its inputs are then opinions and gates as they are: every scale is worked into A and B. */
tdm_status tdm_network_learn(tdm_network *out, const tdm_listwise *s, const tdm_network_plan *plan, tdm_run *run,
                             tdm_err *err);

/* w: n x 2P weights of n items, from what is said of them: 3P rows of `stride` floats, one column an item, voices and
 * then ranks; people[n] and seen[n], and length, as tdm_gate_at gives it. room: tdm_network_room(). */
void tdm_network_weigh(const tdm_network *net, float *w, const float *said, size_t stride, const float *people,
                       const uint8_t *seen, float length, size_t n, float *room);
static inline size_t tdm_network_room(const tdm_network *net, size_t n)
{
    return n * (tdm_network_inputs(net->P) + net->H);
}

/* The network as JSON: "hidden" and four arrays, named as above; NULL where memory is short. And back: `path` is for
 * the sentence. */
cJSON *tdm_network_json(const tdm_network *net);
tdm_status tdm_network_parse(tdm_network *out, const cJSON *o, size_t P, const char *path, tdm_err *err);

#endif
