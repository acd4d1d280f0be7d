/* SPDX-License-Identifier: Apache-2.0 */
/* explain.c - how soon the sentences of a person's recommendations are there, in a model folder that is open.
 *
 *     bench_explain MODEL [people [items [threads]]]          people 50, items 10, threads 1
 *
 * People are drawn evenly from the folder's own. Each asks for so many explained recommendations, and these are taken:
 * when the first piece of a sentence was told, when the first sentence stood, when all did; then the same again, from
 * what was kept. `threads` people ask one recommender at once. The clock is the wall's: other work on the machine makes
 * all of it longer. Also said: how often a draft was taken back, and what became of the tries. */
#include "measure.h"

#include "api/ask.h"
#include "base/clock.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { TAKEN = 4, MOST_THREADS = 64 }; /* first piece, first sentence, all, all again */
static const char *const names[TAKEN] = {"first piece", "first sentence", "all", "all, asked again"};

typedef struct person {
    double began, took[TAKEN];
    size_t sentences, pieces, restarts;
} person;

typedef struct asking {
    tdm_recommender *r;
    person *who;
    size_t people, items, thread, threads;
} asking;

static int told(void *ctx, const tdm_stream_event *e)
{
    person *p = ctx;
    double now = tdm_seconds() - p->began;
    if (e->kind == TDM_SENTENCE_TEXT && !p->pieces++) p->took[0] = now;
    p->restarts += e->kind == TDM_SENTENCE_RESTART;
    if (e->kind == TDM_SENTENCE_DONE && !p->sentences++) p->took[1] = now;
    return 0;
}

static void ask(asking *a, person *p, size_t k, bool again)
{
    const tdm_strings *ids = &a->r->b->data->user_id;
    tdm_str id = tdm_strings_at(ids, k * ids->n / a->people);
    char *user = tdm_strndup(id.p, id.n), *answer;
    tdm_err err;
    tdm_query q = {.user = user, .n = a->items, .words = 1, .seed = 1};
    if (!again) q.stream = told, q.stream_ctx = p;
    if (!user) bench_stop("not enough memory");
    p->began = tdm_seconds();
    if (tdm_recommender_recommend(a->r, &answer, &q, &err)) bench_stop(err.msg);
    p->took[again ? 3 : 2] = tdm_seconds() - p->began;
    tdm_text_free(answer);
    tdm_free(user);
}

static void *ask_all(void *ctx)
{
    asking *a = ctx;
    for (size_t k = a->thread; k < a->people; k += a->threads) {
        ask(a, &a->who[k], k, false);
        ask(a, &a->who[k], k, true);
    }
    return NULL;
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    tdm_recommender *r;
    tdm_err err;
    char *counts;
    asking a[MOST_THREADS];
    pthread_t thread[MOST_THREADS];
    if (argc < 2) bench_stop("bench_explain MODEL [people [items [threads]]]");
    double began = tdm_seconds();
    if (tdm_recommender_open(&r, argv[1], &err)) bench_stop(err.msg);
    size_t users = r->b->data->U, people = argc > 2 ? strtoul(argv[2], NULL, 10) : 50;
    size_t items = argc > 3 ? strtoul(argv[3], NULL, 10) : 10, threads = argc > 4 ? strtoul(argv[4], NULL, 10) : 1;
    if (people > users) people = users;
    if (!people || !items || !threads || threads > MOST_THREADS) bench_stop("people, items and threads are 1 or more");
    printf("%zu people of %zu, %zu items each, %zu at once; opened in %.2f s\n", people, users, items, threads,
           tdm_seconds() - began);
    person *who = tdm_new(people, sizeof *who);
    double *sorted = tdm_new(people, sizeof *sorted);
    if (!who || !sorted) bench_stop("not enough memory");
    for (size_t t = 0; t < threads; t++) {
        a[t] = (asking){.r = r, .who = who, .people = people, .items = items, .thread = t, .threads = threads};
        if (pthread_create(&thread[t], NULL, ask_all, &a[t])) bench_stop("a thread could not be started");
    }
    for (size_t t = 0; t < threads; t++) pthread_join(thread[t], NULL);
    size_t pieces = 0, restarts = 0, sentences = 0;
    for (size_t k = 0; k < people; k++) {
        pieces += who[k].pieces;
        restarts += who[k].restarts;
        sentences += who[k].sentences;
    }
    printf("%-18s %10s %10s %10s   ms\n", "", "median", "95 of 100", "most");
    for (size_t i = 0; i < TAKEN; i++) {
        for (size_t k = 0; k < people; k++) sorted[k] = who[k].took[i];
        qsort(sorted, people, sizeof *sorted, order);
        printf("%-18s %10.2f %10.2f %10.2f\n", names[i], 1e3 * sorted[people / 2], 1e3 * sorted[people * 95 / 100],
               1e3 * sorted[people - 1]);
    }
    printf("%zu sentences in %zu pieces, %zu drafts taken back\n", sentences, pieces, restarts);
    if (!tdm_recommender_counts(r, &counts, NULL)) puts(counts);
    tdm_text_free(counts);
    tdm_free(who);
    tdm_free(sorted);
    tdm_recommender_close(r);
    return 0;
}
