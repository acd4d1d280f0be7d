/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.h - models' rankings and ratings, judged person by person as docs/evaluation.md defines it.
 *
 * One model is judged after the other, so that what is held is one model's lists and one table of people x metrics.
 * Everything is a ratio of two sums over people, which makes one bootstrap serve all. */
#ifndef TDM_EVAL_EVALUATE_H
#define TDM_EVAL_EVALUATE_H

#include "base/run.h"
#include "data/split.h"
#include "eval/curves.h"
#include "eval/metrics.h"
#include "hybrid/diverse.h"
#include "model/model.h"

/* Mean ndcg@k over the questions that have at least one counted target; items of the history are left out of the
 * ranking under TDM_SEEN_FILTER. *value is 0 where no question has one. Questions are scored in batches over the pool.
 * I: the size of the catalogue, which is the length of a row of scores. */
tdm_status tdm_ndcg(double *value, const tdm_model *m, const tdm_questions *qs, size_t I, size_t k, tdm_seen seen,
                    tdm_pool *pool, tdm_err *err);

/* What `m` foretells of every target's rating, clipped to the scale from `low` to `high`; NaN: it cannot say.
 * prediction: as many as there are targets. */
tdm_status tdm_predict(float *prediction, const tdm_model *m, const tdm_questions *qs, float low, float high,
                       tdm_pool *pool, tdm_err *err);

/* The root of the mean squared error of these over all targets with a rating; NaN where there is none. */
tdm_status tdm_rmse(double *value, const tdm_model *m, const tdm_questions *qs, float low, float high, tdm_pool *pool,
                    tdm_err *err);

/* ---- many models at once ---- */

enum { TDM_MAX_CUTOFFS = 8, TDM_RESAMPLES = 1000, TDM_PERMUTATIONS = 10000 };

/* What is reported at each cutoff: the metrics of one ranking, then what lists do to a catalogue. */
typedef enum tdm_measure { TDM_NOVELTY = TDM_METRICS, TDM_DIVERSITY, TDM_COVERAGE, TDM_GINI, TDM_MEASURES } tdm_measure;

const char *tdm_measure_name(int measure); /* a tdm_metric or a tdm_measure */

/* Classes of people by the length of the history, then of targets. name, smallest and largest length. */
#define TDM_LENGTH_LIST(X) X("0", 0, 0) X("1-4", 1, 4) X("5-9", 5, 9) X("10-19", 10, 19) X("20+", 20, SIZE_MAX)
enum { TDM_LENGTHS = 5, TDM_SLICE_HEAD = TDM_LENGTHS, TDM_SLICE_TAIL, TDM_SLICE_NEW, TDM_SLICES };

const char *tdm_slice_name(int slice); /* "1-4", "head" */
int tdm_length_class(size_t n);        /* of a history of n items: 0 .. TDM_LENGTHS - 1 */

/* A number with its 95% interval; NaN: there is none. */
typedef struct tdm_estimate {
    double value, low, high;
} tdm_estimate;

typedef struct tdm_judged {
    char *name;
    bool ranks, rates; /* what this model can do */
    tdm_estimate at[TDM_MAX_CUTOFFS][TDM_MEASURES];
    tdm_estimate slice_ndcg[TDM_SLICES], slice_recall[TDM_SLICES]; /* at the main cutoff */
    tdm_estimate rmse, mae;
    size_t rated, unrated;        /* held-out ratings that were predicted, and that could not be */
    double tail[TDM_TAIL_POINTS]; /* of the recommendations at the main cutoff */
    tdm_bin bin[TDM_BINS];        /* predicted against given ratings */
    size_t bins;
    double seconds;                  /* of judging; measured */
    double *ndcg, *recall;           /* people: at the main cutoff */
    double *boot_ndcg, *boot_recall; /* TDM_RESAMPLES: their means */
    float *prediction;               /* targets: clipped; NaN: none. NULL where the model does not rate */
} tdm_judged;

/* Model a against model b of the evaluation. */
typedef struct tdm_comparison {
    size_t a, b;
    enum { TDM_OF_NDCG, TDM_OF_RECALL, TDM_OF_RMSE } of;
    size_t people;
    tdm_estimate difference; /* a minus b */
    double p, corrected;     /* as tested, and after Holm over all of the table */
} tdm_comparison;

/* The subject's lists with one weight of diversity (tdm_diversity.weight), at the main cutoff. */
typedef struct tdm_spread {
    double weight;
    tdm_estimate ndcg, diversity, difference; /* difference: of ndcg to the plain lists of the same people */
} tdm_spread;

/* So many weights; of the people a tenth is asked, drawn, but so many at least and at most. */
enum { TDM_SPREADS = 4, TDM_SPREAD_LEAST = 500, TDM_SPREAD_MOST = 2000 };

typedef struct tdm_evaluation {
    size_t people;           /* with at least one counted target: those of the ranking means */
    size_t held_out;         /* questions in all */
    size_t targets, counted; /* answers in all; and the counted ones, each item of a person once */
    size_t ratings;          /* held-out answers with a rating */
    size_t candidates;       /* items that may rank at all: the catalogue, or less (tdm_questions.barred) */
    double diversity;        /* lists are made with (tdm_diversity.weight) */
    size_t newest;           /* of each history the newest so many were asked with; 0: all */
    double chance;           /* recall at the main cutoff of items in a drawn order; 0: all may rank */
    size_t k[TDM_MAX_CUTOFFS], n_k, main; /* upwards; k[main] is the one of slices and comparisons */
    size_t slice_people[TDM_SLICES];
    bool has_diversity;
    double tail[TDM_TAIL_POINTS]; /* of what people chose in training, each of an item once */
    tdm_judged *models;
    size_t n_models;
    tdm_comparison *comparisons;
    size_t n_comparisons;
    struct {
        size_t model, people; /* people 0: it was not judged */
        double seconds;       /* measured */
        tdm_spread at[TDM_SPREADS];
    } tradeoff; /* of diversity against ndcg */
} tdm_evaluation;

/* What one model said, for files of runs and of people: called once a model, from the calling thread. */
typedef struct tdm_lists {
    const char *name;
    const tdm_questions *questions;
    const uint32_t *asked;            /* n questions: people with counted targets */
    size_t n, depth;                  /* depth: the largest cutoff, or the catalogue where that is smaller */
    const uint32_t *list, *found;     /* n x depth; n */
    const tdm_evaluation *evaluation; /* cutoffs */
    const double *metrics;            /* n x (cutoffs x TDM_METRICS) */
} tdm_lists;

typedef struct tdm_evaluate_input {
    const tdm_model *const *models;
    const char *const *names; /* what to call them; NULL: their own names */
    size_t n_models;
    size_t subject; /* the model that is compared with every other; n_models: none is */
    const tdm_questions *questions;
    const tdm_dataset *train;      /* popularity of items; the catalogue */
    float rating_low, rating_high; /* the data's scale; 0 and 0: none */
    const float *vectors;          /* I x K item vectors for diversity; NULL: none */
    size_t K;
    size_t k[TDM_MAX_CUTOFFS], n_k; /* none: 5, 10, 20 */
    tdm_seen seen;
    tdm_diversity unlike; /* how lists are made; of weight 0: by score alone */
    bool tradeoff;        /* also judge what diversity costs the subject, where there are vectors */
    uint64_t seed;
    tdm_status (*lists)(void *ctx, const tdm_lists *l, tdm_err *err); /* may be NULL */
    void *ctx;
} tdm_evaluate_input;

tdm_status tdm_evaluate(tdm_evaluation **out, const tdm_evaluate_input *in, tdm_run *run, tdm_err *err);
void tdm_evaluation_close(tdm_evaluation *e);

/* The same models on people who have just made their first click: asked with the newest item of a history alone, at the
 * main cutoff, about rankings only. It asks the first TDM_CLICK_PEOPLE who have a history and a counted target: people
 * are numbered by a hash of their ids, so these are drawn ones. */
enum { TDM_CLICK_PEOPLE = 5000 };
tdm_status tdm_evaluate_click(tdm_evaluation **out, const tdm_evaluate_input *in, tdm_run *run, tdm_err *err);

/* The cutoff of slices and comparisons: 10 where it is among in->k, or none is given; else the smallest. */
size_t tdm_main_cutoff(const tdm_evaluate_input *in);

/* "5,10,20" as cutoffs, upwards and each once; NULL: the standard ones. */
tdm_status tdm_cutoffs_parse(size_t *k, size_t *n, const char *words, tdm_err *err);

#endif
