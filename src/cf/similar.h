/* SPDX-License-Identifier: Apache-2.0 */
/* similar.h - people whose histories are like one history: the first half of user-knn.
 *
 * An inverted index finds everybody who shares an item, so nothing of size people x people is ever made. For a history
 * with item weights a_j and person v, over the shared items j:
 *
 *     cosine     s_v = sum a_j b_j / (|a| |b_v|)                       a_j = recency_j b_j
 *     Pearson    s_v = sum e_j e_vj / sqrt(sum e_j^2 sum e_vj^2)
 *     centred    s_v = sum e_j e_vj / (|e| |e_v|)
 *
 * with b_j = log(1 + U / n_j)^power the inverse user frequency (Breese, Heckerman and Kadie, UAI 1998), e = rating
 * minus baseline, and every s_v times c / (c + shrink) for c shared items: two people who share one item may have a
 * cosine of 1 and little to say. */
#ifndef TDM_CF_SIMILAR_H
#define TDM_CF_SIMILAR_H

#include "cf/baseline.h"

typedef enum tdm_similarity { TDM_COSINE, TDM_PEARSON, TDM_CENTRED } tdm_similarity;

/* Training people as they are compared. */
typedef struct tdm_people {
    tdm_rows rows;   /* each item once for a person; without ratings */
    float *residual; /* N: rating minus baseline; NaN: none */
    double *b;       /* I */
    double *length;  /* U: |b_v| */
    double *centred; /* U: |e_v| */
} tdm_people;

/* Takes what `rows` holds and leaves it empty, also on failure. */
tdm_status tdm_people_make(tdm_people *out, tdm_rows *rows, const tdm_baseline *base, double iuf_power, tdm_err *err);
void tdm_people_clear(tdm_people *p); /* all-zero is fine */

/* A history made ready to be compared. */
typedef struct tdm_probe {
    tdm_similarity kind;
    size_t n;
    uint32_t *item; /* n, newest first, each once; without those that say nothing */
    size_t *at;     /* n; the place in the history */
    double *a;      /* n; a_j or e_j */
    double length;  /* |a| or |e| */
    uint32_t self;  /* never one's own neighbour */
} tdm_probe;

tdm_status tdm_probe_make(tdm_probe *out, const tdm_people *p, const tdm_baseline *base, const tdm_history *h,
                          tdm_similarity kind, double decay, tdm_err *err);
void tdm_probe_clear(tdm_probe *q); /* all-zero is fine */

/* Who is like a history. One thread uses one of these for one history after another. */
typedef struct tdm_similar {
    size_t n;
    uint32_t *user;              /* n people with s_v > 0, in the order found: a fixed one */
    float *s;                    /* n */
    float *of;                   /* U: s_v, 0 for everybody else */
    uint32_t *anchor;            /* U: where in v's row the newest shared item of the history stands */
    struct tdm_meeting *meeting; /* U; scratch */
} tdm_similar;

tdm_status tdm_similar_make(tdm_similar *out, const tdm_people *p, tdm_err *err);
void tdm_similar_find(tdm_similar *s, const tdm_people *p, const tdm_probe *q, double shrink);
void tdm_similar_clear(tdm_similar *s); /* all-zero is fine */

/* The part of s_v's numerator that history item j of the probe makes: 0 where v has not got it. */
double tdm_similar_term(const tdm_people *p, const tdm_probe *q, size_t j, uint32_t v);

#endif
