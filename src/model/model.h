/* SPDX-License-Identifier: Apache-2.0 */
/* model.h - the one interface: a history in, scores out.
 *
 * A model is a table of functions and a private struct that begins with `tdm_model`. Scoring functions are const, take
 * no pool and keep no state: many threads score one model at once, each with a batch of its own. A member without
 * meaning for a model is NULL, and callers say so to the user. */
#ifndef TDM_MODEL_MODEL_H
#define TDM_MODEL_MODEL_H

#include "data/dataset.h"
#include "model/params.h"
#include "text/block.h"

typedef struct tdm_model_ops tdm_model_ops;
typedef struct tdm_model { const tdm_model_ops *ops; } tdm_model;

/* Judges a model that is being trained: a higher value is better (ndcg@10 on validation people kept for this). */
typedef struct tdm_judge {
    tdm_status (*ask)(void *ctx, double *value, const tdm_model *m, tdm_err *err);
    void *ctx;
} tdm_judge;

typedef struct tdm_fit_input {
    const tdm_dataset *train;
    const tdm_params *params;        /* every declared parameter has a value */
    const tdm_model *const *needs;   /* the models that ops->needs names, in that order, open */
    const tdm_judge *judge;          /* NULL: nobody judges, train the declared length */
    const struct tdm_questions *labels; /* validation questions for models that learn from them (hybrid); else NULL */
    bool seen;                       /* items of a history may be recommended again */
    const char *checkpoint;          /* a file that an interrupted fit may write and a later one resume from; or NULL */
    const char *train_log;           /* a file that takes lines of JSON about the training; or NULL */
    struct cJSON *curves;            /* an object that takes what the training went through, "loss": {"step": [...],
                                        "value": [...]} and so on; or NULL */
    struct cJSON *chosen;            /* an object that takes, by name, the numbers that judging chose; or NULL */
    const struct cJSON *again;       /* numbers that were chosen so in a fit of fewer rows: nobody judges, they are kept
                                        to; or NULL */
    const char *pretrained;          /* a GPT-2 folder to begin from; or NULL */
    const struct tdm_forms *forms;   /* of the documents of a GPT-2 over words; NULL: those that come with the program */
    size_t memory;                   /* bytes that training a GPT-2 may take; 0: by what is free */
    tdm_run *run;
} tdm_fit_input;

/* Why an item was recommended. Shares of all history items plus `rest` are 1 for linear models. */
enum { TDM_EVIDENCE_ITEMS = 8, TDM_EVIDENCE_PEOPLE = 8 };
typedef struct tdm_evidence {
    struct { uint32_t item; float share; } because[TDM_EVIDENCE_ITEMS]; /* largest share first */
    size_t n_because;
    float rest;                                                        /* what the listed items do not explain */
    struct { uint32_t user; float similarity; } people[TDM_EVIDENCE_PEOPLE]; /* training rows, most similar first */
    size_t n_people;
} tdm_evidence;

/* Which items a list may hold, for every history of a batch. */
typedef struct tdm_wanted {
    size_t k;              /* how many; a list is shorter only where nothing else is left */
    bool filter_seen;      /* items of the history stay out */
    const uint8_t *barred; /* I, or NULL; 1: stays out */
} tdm_wanted;

/* Lists of B histories in the order of topk.h; list b begins at b k. */
typedef struct tdm_ranked {
    uint32_t *items; /* B x k */
    float *scores;   /* B x k */
    size_t *n;       /* B */
} tdm_ranked;

/* Told of a sentence while it is written: `text` is all of it so far, one line of whole characters, and may be another
 * than the time before. A result that is not 0 stops the writing, which is then TDM_E_CANCELLED. */
typedef int tdm_draft_fn(void *ctx, tdm_str text);

/* Whether a sentence may be the answer. A writer that has several gives one of those that may. */
typedef bool tdm_fits_fn(void *ctx, tdm_str text);

/* What a sentence may be made from. */
typedef struct tdm_reason {
    const tdm_history *history;
    uint32_t item;
    const tdm_evidence *evidence;
    const tdm_block *block; /* what it may not say; NULL: nothing is blocked */
    uint64_t seed;
    tdm_fits_fn *fits;   /* asked of each sentence that may be the answer; NULL: all may */
    void *fits_ctx;
    tdm_draft_fn *draft; /* NULL: nobody listens */
    void *draft_ctx;
} tdm_reason;

/* A person whose training rows are not what they were; TDM_NONE: who came, or went. */
typedef struct tdm_change {
    uint32_t now, was;
} tdm_change;

/* What happened since a model was fitted, or last updated. The numbers of people and items are those of `now`. */
typedef struct tdm_update {
    const tdm_dataset *now, *was; /* the training rows */
    const uint32_t *item_now;     /* was->I: today's number of an item, rising; TDM_NONE: gone */
    const tdm_change *changed;    /* rising by `now`, those who went at the end */
    size_t n_changed;
    double share; /* what a row is made of may be out of date by this share before it is made anew */
    tdm_run *run;
} tdm_update;

/* What an update did. A row belongs to an item: its links, its factors. */
typedef struct tdm_updated {
    size_t remade;        /* rows made anew */
    double missing, most; /* the share of what rows are made of that is still out of date: of all, of the worst row */
} tdm_updated;

struct tdm_model_ops {
    const char *name;              /* "item-knn": what users type */
    const char *summary;           /* one line for people */
    const char *path;              /* where it lies in a model folder: "cf/item-knn.safetensors", "gpt2-items" */
    const char *const *needs;      /* names of models fitted earlier, NULL at the end; or NULL */
    const tdm_param *params;       /* declared parameters, a NULL name at the end; or NULL */
    bool optional;                 /* trained only where it is named, or another that is trained needs it */
    bool for_ratings;              /* made to foretell ratings: a search of its settings looks at their error */

    tdm_status (*fit)(tdm_model **out, const tdm_fit_input *in, tdm_err *err);

    /* Optional: the model as it is with what happened since, without fitting it again. `m` is as it was on u->was. */
    tdm_status (*update)(tdm_model **out, const tdm_model *m, const tdm_update *u, tdm_updated *what, tdm_err *err);

    /* scores: B x I, every cell written; -INFINITY: no opinion. Items of the history are scored like all others. */
    tdm_status (*score)(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err);

    /* Optional, for models that need not write every score, or cannot: the best k items of each history, the same as
     * scoring all and choosing (tdm_model_topk does that where this is NULL). */
    tdm_status (*topk)(const tdm_model *m, const tdm_ranked *out, const tdm_history *h, size_t B, const tdm_wanted *w,
                       tdm_err *err);

    /* ratings: n predictions on the data's scale; NaN: cannot say. */
    tdm_status (*rate)(const tdm_model *m, float *ratings, const tdm_history *h, const uint32_t *items, size_t n,
                       tdm_err *err);

    tdm_status (*because)(const tdm_model *m, tdm_evidence *out, const tdm_history *h, uint32_t item, tdm_err *err);

    /* Item vectors I x K, owned by the model. */
    tdm_status (*vectors)(const tdm_model *m, const float **out, size_t *K, tdm_err *err);

    /* A sentence from the evidence, UTF-8, one line, into out[cap] with a NUL. *logp is its log-likelihood per token. */
    tdm_status (*write)(const tdm_model *m, char *out, size_t cap, double *logp, const tdm_reason *r, tdm_err *err);

    /* `path` is inside a model folder; the folder above it exists. Same model, same bytes. */
    tdm_status (*save)(const tdm_model *m, const char *path, tdm_err *err);
    /* `train` and `needs` outlive the model. Nothing that the file claims is trusted. */
    tdm_status (*load)(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                       tdm_err *err);
    void (*close)(tdm_model *m);
};

/* Closes a model; NULL is fine. */
static inline void tdm_model_close(tdm_model *m)
{
    if (m) m->ops->close(m);
}

#endif
