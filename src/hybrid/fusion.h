/* SPDX-License-Identifier: Apache-2.0 */
/* fusion.h - what the hybrid has learned, and how it is read at one item. Inside this folder only.
 *
 * The scores of every model become a distribution over the catalogue, history by history, and then an opinion that is
 * zero where the model has none:
 *
 *     p(i)       = s(i) / sum of s          for models whose scores are never negative ("share")
 *                  exp s(i) / sum of exp s  for the others ("softmax")
 *     opinion(i) = log(1 + p(i) / floor)
 *     score(i)   = sum over models: opinion(i) * (weight + by_people * P(i) + by_length * L + by_seen * S(i))
 *
 * P(i) = log(1 + training rows of item i) and L = log(1 + length of the history), each minus its centre and held within
 * what the labels showed; S(i) = 1 for items of the history, and by_seen is learned where such items may come again.
 * With labels enough, the weights come from a network instead (network.h), which also hears what each model says of the
 * history's last item alone, and the rank of the item with each model, 1 / place among its best. Either way the score
 * is a sum over models, so the parts of a recommendation are exact. "kind" in the file says which: "linear" or
 * "network".
 */
#ifndef TDM_HYBRID_FUSION_H
#define TDM_HYBRID_FUSION_H

#include "hybrid/network.h"
#include "model/model.h"

enum {
    TDM_FUSION_MODELS = TDM_LIST_MODELS, /* as many may be joined */
    TDM_FUSION_RANKED = 50               /* items behind these have rank 0 */
};

typedef enum tdm_form { TDM_FORM_SHARE, TDM_FORM_SOFTMAX } tdm_form;

/* log(1 + count) - centre, held within [low, high] before the centre is taken off. */
typedef struct tdm_gate {
    double centre, low, high;
} tdm_gate;

typedef struct tdm_fusion {
    size_t P;                      /* models joined */
    const tdm_model *const *model; /* P; borrowed */
    size_t I;
    float *people; /* I: log(1 + training rows); made from the training data, not stored */
    struct {
        tdm_form form;
        double floor;
        double weight[TDM_GATES];
    } part[TDM_FUSION_MODELS];
    tdm_gate by_people, by_length;
    bool seen;       /* items of the history may be recommended again */
    size_t labels;   /* questions that the weights were learned from; 0: none, a prior */
    tdm_network net; /* H > 0: its weights rank in place of those above */
    double strength; /* of the pull to equal weights that was chosen */
    /* ratings: mean + shift + sum over models that rate: rate[p] * (their rating - mean) */
    double mean, shift; /* mean NaN: the data has no ratings */
    double rate[TDM_FUSION_MODELS];
    size_t rated; /* ratings that the weights were learned from */
} tdm_fusion;

/* A fusion with nothing learned. `model` (P of them) and `train` outlive it. */
tdm_status tdm_fusion_init(tdm_fusion *f, const tdm_model *const *model, const tdm_dataset *train, tdm_err *err);
void tdm_fusion_clear(tdm_fusion *f);

double tdm_gate_at(const tdm_gate *g, double x);

/* What turns a score into p: 1 / sum for shares, log of the sum of exponentials for softmax. */
double tdm_opinion_norm(const float *score, size_t I, tdm_form form);

/* The opinion at a score. */
double tdm_opinion_at(float score, tdm_form form, double norm, double floor);

/* The scores of every model, of the history and then of its last item alone: 2 P x I, and what turns them into p. */
tdm_status tdm_fusion_voices(const tdm_fusion *f, float *scores, double *norms, const tdm_history *h, tdm_err *err);

/* The n best items by the scores of a whole history, without the history's own unless they may come again; returns how
 * many. room: I floats. */
size_t tdm_fusion_best(const tdm_fusion *f, uint32_t *best, float *room, const float *score, const tdm_history *h,
                       size_t n);

/* The ranks of all items, I, by that list of model p: equal scores share the better place, an item without an opinion
 * has none. */
void tdm_fusion_ranks(const tdm_fusion *f, float *ranks, size_t p, const uint32_t *best, size_t n, const float *score);

/* fusion.json. Floats come back as they were. Reading checks every number and that the models are those of f, in their
 * order. */
tdm_status tdm_fusion_write(const tdm_fusion *f, const char *path, tdm_err *err);
tdm_status tdm_fusion_read(tdm_fusion *f, const char *path, tdm_err *err);

#endif
