/* SPDX-License-Identifier: Apache-2.0 */
/* tandem.h - the face of libtandem: from a raw log of reviews to explained recommendations.
 *
 * A fallible function returns a tdm_status and takes a tdm_err last (it may be NULL); on failure its outputs are NULL
 * and the error holds one sentence. The library never prints and never exits. What an _open, _read or _make function
 * gives is the caller's to _close. */
#ifndef TANDEM_H
#define TANDEM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TDM_VERSION "0.1.0"

/* ---- status ---- */

#define TDM_STATUS_LIST(X)                                                                                             \
    X(OK, "success")                                                                                                   \
    X(E_NOMEM, "out of memory")                                                                                        \
    X(E_IO, "input/output error")                                                                                      \
    X(E_FORMAT, "malformed input")                                                                                     \
    X(E_ARG, "invalid argument")                                                                                       \
    X(E_UNSUPPORTED, "not supported")                                                                                  \
    X(E_CANCELLED, "cancelled")                                                                                        \
    X(E_NODEV, "backend not available")

typedef enum tdm_status {
#define X(name, text) TDM_##name,
    TDM_STATUS_LIST(X)
#undef X
} tdm_status;

typedef struct tdm_err {
    char msg[1024];
} tdm_err;

/* "malformed input" and so on. */
const char *tdm_status_text(tdm_status st);

/* ---- run: threads, seed, log, progress, cancel ---- */

typedef enum tdm_log_level { TDM_LOG_ERROR, TDM_LOG_WARN, TDM_LOG_INFO, TDM_LOG_DEBUG } tdm_log_level;

/* `stage` is one word ("prepare", "gpt2-items"), `message` one line without a newline. */
typedef void tdm_log_fn(void *ctx, tdm_log_level level, const char *stage, const char *message);

/* `done` of `total` (0: unknown); `note` is a few words such as "loss 4.21", or NULL. Called often: thin it out. */
typedef void tdm_progress_fn(void *ctx, const char *stage, uint64_t done, uint64_t total, const char *note);

typedef struct tdm_run_options {
    size_t threads; /* 0: one for each processor */
    uint64_t seed;
    tdm_log_fn *log;           /* may be NULL */
    tdm_progress_fn *progress; /* may be NULL */
    void *ctx;                 /* handed to both */
} tdm_run_options;

typedef struct tdm_run tdm_run;

tdm_status tdm_run_open(tdm_run **out, const tdm_run_options *options, tdm_err *err);
void tdm_run_close(tdm_run *run);

/* Asks the work to stop at the next safe point; it then returns TDM_E_CANCELLED. Any thread may ask. A program that
 * does so on a signal should wait for that in a thread of its own and block it in the threads that call the library
 * (src/cli/interrupt.c says why). */
void tdm_run_cancel(tdm_run *run);

/* ---- answers ----
 *
 * What the library has to tell is a JSON document, the same that `tandem VERB --json` prints: one form for C, for the
 * program and for whoever calls it from elsewhere. The keys are listed in docs/answers.md. */

/* Gives back a text that a function of this header made; NULL is fine. */
void tdm_text_free(char *text);

/* An answer of tdm_pipeline_evaluate or tdm_compare as a table for a terminal `width` columns wide. */
tdm_status tdm_evaluation_text(char **text, const char *json, size_t width, tdm_err *err);

/* ---- from raw files to a model folder ---- */

/* Zero everywhere means the defaults. Words are those of the command line. */
typedef struct tdm_options {
    /* data */
    const char *const *sources; /* raw files of interactions */
    size_t n_sources;
    const char *items;   /* metadata of items; NULL: none */
    const char *test;    /* the test file of split "files"; NULL: none */
    const char *format;  /* NULL: found by looking */
    const char *map;     /* "user=COL,item=COL,rating=COL,time=COL,text=COL"; NULL: found by looking */
    size_t core;         /* k-core over the whole log; 0: none */
    double min_rating;   /* rows rated below it are left out; 0: none are */
    int strict;          /* stop at the first bad row */
    const char *rejects; /* file that takes the bad rows, as JSON lines; NULL: none */
    double max_bad;      /* a source of which a larger share of rows is bad is refused; 0: 0.5 */
    int mend_ids;        /* put back leading zeros that a spreadsheet took off ids, where another file has them */
    const char *keep;    /* rules of cleaning to leave out: "duplicates,scale,placeholders,people,html,length" */
    size_t memory;       /* bytes to use: for preparing before rows go to a file, 0: half of the machine's; for the
                            training of a GPT-2, 0: three quarters of what is free */
    /* protocol */
    const char *split;      /* "time" (default), "leave-one-out", "ratio", "files", "cold-items" */
    const char *ties;       /* "file" (default), "shuffle" */
    const char *seen;       /* "filter" (default), "keep" */
    const char *duplicates; /* "newest" (default), "oldest", "sum", "keep" */
    double positive_from;   /* rated below it: not a positive; 0: all are positives */
    int refit;              /* fit what validation chose once more, on training and validation rows, before the test;
                               what it was chosen with is in the folder "before", and judged too */
    /* training */
    const char *preset;     /* "quick", "standard" (default), "best" */
    const char *models;     /* "ease,gpt2-items,hybrid"; NULL: all but optional ones */
    const char *gpt2;       /* a pretrained GPT-2 in the Hugging Face layout; NULL: from scratch */
    const char *const *forms; /* files with a form of gpt2-words' documents each (docs/prompts.md), at most one of reviews
                                 and one of histories; a kind that none of them is keeps the program's own form */
    size_t n_forms;
    const char *const *set; /* "model.parameter=value" each */
    size_t n_set;
    const char *train_log; /* file that lines of JSON about the trainings of the GPT-2s are added to; NULL: none */
    /* searching */
    size_t trials;      /* of each model that is searched, at most; 0: 30, or as many as the budget allows */
    const char *budget; /* "90s", "30m", "2h": how long the trials of all models may take together; NULL: no limit */
    /* evaluation */
    const char *on;         /* "test" (default) or "validation" */
    const char *cutoffs;    /* "5,10,20" (default) */
    double diversity;       /* judge lists made as tdm_query.diversity says; 0: the plain rankings */
    size_t newest;          /* ask with so many of a history's newest items alone; 0: with all */
    int text;               /* judge the sentences too, beside what people wrote themselves */
    const char *trec;       /* folder that takes run and qrels files; NULL: none */
    const char *per_person; /* file that takes per-person values; NULL: none */
    const char *report;     /* where the HTML goes; NULL: report.html in the model folder, for the standard question */
    const char *command;    /* what to say in the report reproduces it; NULL: nothing */
} tdm_options;

/* Reads, cleans and indexes o->sources into the dataset folder `folder`. *health: the data-health table. */
tdm_status tdm_pipeline_prepare(char **health, const char *folder, const tdm_options *o, tdm_run *run, tdm_err *err);

/* Trains on a dataset folder into the model folder `folder`, going on where an interrupted call with the same settings
 * stopped. A cancelled call keeps what is trained and says so in the error. *summary: what was trained, in how long. */
tdm_status tdm_pipeline_train(char **summary, const char *dataset, const char *folder, const tdm_options *o,
                              tdm_run *run, tdm_err *err);

/* tdm_pipeline_train with settings that are sought: of each model that declares where to look (tdm_models_list), by
 * trials, judged on the validation people who also end trainings; then trained with what was best, and evaluated. The
 * trials are in `folder`/tune.jsonl, from which a call that was cut off goes on, and the settings in `folder`/tuned.conf, for
 * the program's -c. *evaluation: as tdm_pipeline_evaluate, with what the search saw. */
tdm_status tdm_pipeline_tune(char **evaluation, const char *dataset, const char *folder, const tdm_options *o,
                             tdm_run *run, tdm_err *err);

/* Brings a model folder up to date with a dataset that holds its events and new ones, split by the folder's own protocol,
 * into `folder`, which must not be there yet and is whole once it is. Models that cannot take events in stay as they
 * are; where items came or went they are left out. *answer: for each model what was done, its error and its drift. */
tdm_status tdm_pipeline_update(char **answer, const char *model, const char *dataset, const char *folder, tdm_run *run,
                               tdm_err *err);

/* Ranks the whole catalogue for every held-out person with every model of the folder; writes report.json, report.html
 * and what `o` asks for. The folder's report answers the standard question (on test, whole histories, plain lists): where
 * o->on, newest or diversity ask another, the folder stays as it is and only o->report is written. The protocol is the folder's own: o->split, ties, seen and duplicates are not read. */
tdm_status tdm_pipeline_evaluate(char **evaluation, const char *folder, const tdm_options *o, tdm_run *run,
                                 tdm_err *err);

/* Prepare, train and evaluate, all inside one model folder. *evaluation: as tdm_pipeline_evaluate. */
tdm_status tdm_pipeline_fit(char **evaluation, const char *folder, const tdm_options *o, tdm_run *run, tdm_err *err);

/* Two models, paired person by person: "FOLDER" (its hybrid, else its best) or "FOLDER:MODEL" each, of one dataset and
 * protocol. */
tdm_status tdm_compare(char **answer, const char *a, const char *b, const tdm_options *o, tdm_run *run, tdm_err *err);

/* ---- recommendations ---- */

/* A model folder, open. Many threads may ask one recommender at once. */
typedef struct tdm_recommender tdm_recommender;

tdm_status tdm_recommender_open(tdm_recommender **out, const char *folder, tdm_err *err);
void tdm_recommender_close(tdm_recommender *r);

/* Leaves the items that the file `path` lists, one id a line (# begins a comment line), out of all that is recommended
 * from here on; a file after it adds to them. Ids that the model does not know are counted in *unknown and no error: a
 * list may be older or newer than a model. Call it before other threads ask. */
tdm_status tdm_recommender_exclude(tdm_recommender *r, size_t *unknown, const char *path, tdm_err *err);

/* Keeps the words and phrases that the file `path` lists, one a line (# begins a comment line), out of every sentence that
 * is shown from here on, GPT-2's and those of the evidence; a file after it adds to them. Letter case and ways of writing
 * make no difference, words count whole (docs/answers.md). A line that is none is an error that names it, and nothing of
 * the file counts. Call it before other threads ask. */
tdm_status tdm_recommender_block(tdm_recommender *r, const char *path, tdm_err *err);

/* ---- sentences while they are written ----
 *
 * For each recommendation in turn: BEGIN, then TEXT and RESTART in any number, then DONE. A piece of TEXT goes on from the
 * pieces before it. It is whole words, so whole characters of UTF-8, and with what stands before it it has passed the
 * check as far as it goes: no number, title or blocked word that may not be shown. It is a draft all the same: GPT-2
 * writes several sentences side by side, one of them is told, and another may turn out better, or none good enough. Then
 * RESTART takes back what stands of this sentence, and TEXT begins anew. At DONE what stands is the sentence of the
 * answer, and `text` has it whole: who wants no drafts reads that alone. An explanation that was kept is one TEXT and
 * DONE. */
typedef enum tdm_stream_kind {
    TDM_SENTENCE_BEGIN,
    TDM_SENTENCE_TEXT,
    TDM_SENTENCE_RESTART,
    TDM_SENTENCE_DONE
} tdm_stream_kind;

typedef struct tdm_stream_event {
    tdm_stream_kind kind;
    size_t place;             /* of the recommendation, from 0 */
    const char *item, *title; /* its id, and what it is called */
    const char *text;         /* TEXT: the next n bytes, no NUL behind them; DONE: all of the sentence, with one */
    size_t n;
    const char *source; /* DONE: text_source of the answer; else NULL */
} tdm_stream_event;

/* Called from the thread that asks; what the event points to is gone behind the call. A result that is not 0 stops the
 * answer, which is then TDM_E_CANCELLED. */
typedef int tdm_stream_fn(void *ctx, const tdm_stream_event *event);

typedef struct tdm_query {
    const char *user;      /* a person of the data; or */
    const char *history;   /* "ID,ID:5,ID": items, oldest first, each with a rating or without */
    const char *model;     /* NULL: the hybrid, else the first that ranks */
    size_t n;              /* how many; 0: 10 */
    const char *exclude;   /* "ID,ID"; NULL: none */
    const char *category;  /* only items with this category, letter case aside; NULL: all */
    double diversity;      /* 0 .. 1: how much an item unlike those above it is preferred; 0: the plain ranking */
    int words;             /* also write the sentences (text, text_source) */
    const char *sentence;  /* whose stands: "gpt2", "review" or "evidence"; NULL: what training chose */
    uint64_t seed;         /* of the sentences */
    tdm_stream_fn *stream; /* told of the sentences while they are written; NULL: nobody is. Needs words */
    void *stream_ctx;      /* handed to it */
} tdm_query;

/* Ranked items with titles, parts, evidence and text. Unknown ids are an error that names the nearest ones; an empty
 * history gets what is popular, and "note" says so. */
tdm_status tdm_recommender_recommend(tdm_recommender *r, char **answer, const tdm_query *q, tdm_err *err);

/* Takes the next n bytes of what is made; a result that is not 0 stops the work. */
typedef int tdm_write_fn(void *ctx, const char *bytes, size_t n);

/* The best items for everybody of the data, in the order of the data. `path` is a file whose ending says the form,
 * .jsonl, .csv or .tsv (docs/answers.md); it is written beside its place and put there when it is whole, so a call that
 * fails or is cancelled leaves what was there before. `path` NULL: JSON lines, to `write` with `ctx`. Of the query, n,
 * model, exclude, category and diversity are read. *summary: who ranked, for how many people. */
tdm_status tdm_recommender_recommend_all(tdm_recommender *r, char **summary, const tdm_query *q, const char *path,
                                         tdm_write_fn *write, void *ctx, tdm_run *run, tdm_err *err);

/* The evidence and the sentence for one item, whether or not it would be recommended. */
tdm_status tdm_recommender_explain(tdm_recommender *r, char **answer, const tdm_query *q, const char *item,
                                   tdm_err *err);

/* Explanations (because to text_source) are kept, each by the history, the item, the model, the seed and whose sentence
 * it is to be, up to 8 MB of them, the one not asked for the longest going first: the same question again costs no decoding
 * and gets the same text. Keeps up to `bytes` from here on, and forgets what it has; 0: keeps none. */
void tdm_recommender_keep(tdm_recommender *r, size_t bytes);

/* How often an explanation was found kept and how often made, and what became of the tries at sentences, since the folder
 * was opened (docs/answers.md). */
tdm_status tdm_recommender_counts(tdm_recommender *r, char **answer, tdm_err *err);

/* The `n` items most like one item, or the people most like one person; one of `item` and `user` is NULL. `model` NULL:
 * the first trained of gpt2-items, content and item-knn; people are always user-knn's to say. */
tdm_status tdm_recommender_similar(tdm_recommender *r, char **answer, const char *item, const char *user,
                                   const char *model, size_t n, tdm_err *err);

/* ---- looking and leaving ---- */

/* What a dataset folder, a model folder, a safetensors file or a raw file is. */
tdm_status tdm_inspect(char **answer, const char *path, tdm_err *err);

/* Takes a person out of a dataset folder: rows, texts, id, and the health table brought up to date; items stay. After a
 * crash the folder is the old one or the new one, whole. Then what each of `n` model folders still holds of them, which
 * only training again removes. A person unknown to the dataset and to all models is an error that names the nearest
 * ids; a model folder in the place of the dataset is one too. */
tdm_status tdm_forget(char **answer, const char *dataset, const char *user, const char *const *models, size_t n,
                      tdm_run *run, tdm_err *err);

/* The machine, the kernels in use, the libraries, what is missing. */
tdm_status tdm_doctor(char **answer, tdm_err *err);

/* Writes the data of a model or dataset folder for other tools: format "csv" (interactions.csv, items.csv), "recbole"
 * (NAME.inter, NAME.item) into the folder `to`, or "sequences" (one person a line, "user item item ...") to a file. Format
 * "gguf" writes the GPT-2 of words, of a model folder or of a folder as GPT-2s are published, to one file that llama.cpp
 * and what is built on it read: matrices as F16, the vocabulary with it. */
tdm_status tdm_export(const char *folder, const char *format, const char *to, tdm_err *err);

/* The built-in sample: reviews.jsonl and items.jsonl, made from a seed. */
tdm_status tdm_sample_write(const char *folder, uint64_t seed, tdm_err *err);

/* How far apart two words are in typing mistakes: for "did you mean". */
size_t tdm_spelling_distance(const char *a, const char *b);

/* Every model there is, as a JSON list of name, summary and declared parameters with their ranges. */
tdm_status tdm_models_list(char **answer, tdm_err *err);

#ifdef __cplusplus
}
#endif
#endif
