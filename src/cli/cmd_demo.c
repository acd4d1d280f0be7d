/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_demo.c - the main job on the built-in sample: data, fit, one person's explained recommendations. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

/* The middle person of the exported sequences with a history worth explaining: the sample has no names to pick from. */
static void pick_person(char *out, size_t room, const char *sequences)
{
    FILE *f = fopen(sequences, "r");
    char *line = NULL;
    size_t cap = 0, seen = 0;
    *out = 0;
    while (f && getline(&line, &cap, f) >= 0) {
        size_t words = 0;
        for (const char *c = line; *c; c++) words += *c == ' ';
        size_t id = strcspn(line, " \n");
        if (words < 8 || words > 20 || id >= room) continue;
        if (++seen > 100 && *out) break;
        memcpy(out, line, id);
        out[id] = 0;
    }
    free(line);
    if (f) fclose(f);
}

int cmd_demo(cli_args *a, tdm_run *run)
{
    tdm_err err = {{0}};
    const char *folder = a->words.n ? a->words.at[0] : "tandem-demo";
    char reviews[1024], items[1024], model[1024], sequences[1024], person[128];
    snprintf(reviews, sizeof reviews, "%s/reviews.jsonl", folder);
    snprintf(items, sizeof items, "%s/items.jsonl", folder);
    snprintf(model, sizeof model, "%s/model", folder);
    snprintf(sequences, sizeof sequences, "%s/sequences.txt", folder);
    const char *source = reviews;
    a->o.sources = &source;
    a->o.n_sources = 1;
    a->o.items = items;
    a->out = model;
    if (!a->o.preset) a->o.preset = "quick";
    fprintf(stderr, "writing the sample: %s, %s\n", reviews, items);
    tdm_status st = tdm_sample_write(folder, a->seed, &err);
    char *evaluation = NULL, *table = NULL, *answer = NULL;
    if (!st) st = tdm_pipeline_fit(&evaluation, model, &a->o, run, &err);
    if (!st) st = tdm_evaluation_text(&table, evaluation, (size_t)cli_width(), &err);
    if (!st) st = tdm_export(model, "sequences", sequences, &err);
    if (!st && !a->json) fputs(table, stdout);
    tdm_recommender *r = NULL;
    if (!st) {
        pick_person(person, sizeof person, sequences);
        st = tdm_recommender_open(&r, model, &err);
    }
    a->q.user = person;
    a->q.n = 5;
    a->q.words = 1;
    if (!st) st = tdm_recommender_recommend(r, &answer, &a->q, &err);
    if (!st && !a->json) printf("\nrecommended to %s\n", person);
    int rc = cli_answer(a, st, answer, cli_show_recommendations, &err);
    if (rc == CLI_DONE && !a->json)
        printf("\nThe report is %s/report.html. Go on with:\n"
               "  tandem recommend %s --user %s --explain\n"
               "  tandem fit YOUR_REVIEWS.json.gz --items YOUR_ITEMS.json.gz -o my-model\n",
               model, model, person);
    tdm_recommender_close(r);
    tdm_text_free(evaluation);
    tdm_text_free(table);
    return rc;
}
