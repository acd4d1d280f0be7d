/* SPDX-License-Identifier: Apache-2.0 */
/* verbs.c - the verbs that are one call of the library and one print. */
#include "cli/cli.h"

#include <string.h>

static int need_out(const cli_args *a, const char *verb)
{
    if (a->out) return CLI_DONE;
    fprintf(stderr, "tandem %s: say with -o FOLDER where the result goes\n", verb);
    return CLI_USAGE;
}

static void take_sources(cli_args *a)
{
    a->o.sources = a->words.at;
    a->o.n_sources = a->words.n;
}

int cmd_prepare(cli_args *a, tdm_run *run)
{
    tdm_err err = {{0}};
    char *health = NULL;
    if (need_out(a, "prepare")) return CLI_USAGE;
    take_sources(a);
    tdm_status st = tdm_pipeline_prepare(&health, a->out, &a->o, run, &err);
    return cli_answer(a, st, health, cli_show_health, &err);
}

int cmd_train(cli_args *a, tdm_run *run)
{
    tdm_err err = {{0}};
    char *summary = NULL;
    if (need_out(a, "train")) return CLI_USAGE;
    tdm_status st = tdm_pipeline_train(&summary, a->words.at[0], a->out, &a->o, run, &err);
    return cli_answer(a, st, summary, cli_show_fields, &err);
}

/* An evaluation is a table that the library lays out. */
static int show_evaluation(const cli_args *a, tdm_status st, char *evaluation, tdm_err *err)
{
    char *table = NULL;
    if (!st && !a->json) st = tdm_evaluation_text(&table, evaluation, (size_t)cli_width(), err);
    if (st) {
        tdm_text_free(evaluation);
        return cli_fail(st, err);
    }
    if (a->json) puts(evaluation);
    else fputs(table, stdout);
    tdm_text_free(table);
    tdm_text_free(evaluation);
    return CLI_DONE;
}

int cmd_evaluate(cli_args *a, tdm_run *run)
{
    tdm_err err = {{0}};
    char *evaluation = NULL;
    tdm_status st = tdm_pipeline_evaluate(&evaluation, a->words.at[0], &a->o, run, &err);
    return show_evaluation(a, st, evaluation, &err);
}

int cmd_compare(cli_args *a, tdm_run *run)
{
    tdm_err err = {{0}};
    char *answer = NULL;
    tdm_status st = tdm_compare(&answer, a->words.at[0], a->words.at[1], &a->o, run, &err);
    return show_evaluation(a, st, answer, &err);
}

int cmd_fit(cli_args *a, tdm_run *run)
{
    tdm_err err = {{0}};
    char *evaluation = NULL;
    if (need_out(a, "fit")) return CLI_USAGE;
    take_sources(a);
    tdm_status st = tdm_pipeline_fit(&evaluation, a->out, &a->o, run, &err);
    int rc = show_evaluation(a, st, evaluation, &err);
    if (rc == CLI_DONE && !a->json) {
        if (a->o.report) printf("\nThe report is %s.", a->o.report);
        else if (a->o.newest || a->o.diversity > 0 || (a->o.on && strcmp(a->o.on, "test")))
            printf("\nThe folder's report is of test people, whole histories and plain lists: tandem evaluate %s.",
                   a->out);
        else printf("\nThe report is %s/report.html.", a->out);
        printf(" Next: tandem recommend %s --user ID --explain\n", a->out);
    }
    return rc;
}

int cmd_tune(cli_args *a, tdm_run *run)
{
    tdm_err err = {{0}};
    char *evaluation = NULL;
    if (need_out(a, "tune")) return CLI_USAGE;
    tdm_status st = tdm_pipeline_tune(&evaluation, a->words.at[0], a->out, &a->o, run, &err);
    int rc = show_evaluation(a, st, evaluation, &err);
    if (rc == CLI_DONE && !a->json)
        printf("\nThe search is in %s/tune.jsonl and the report; what it found is in %s/tuned.conf, for -c.\n", a->out,
               a->out);
    return rc;
}

static double counted(const cJSON *sentences, const char *name)
{
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(sentences, name);
    return cJSON_IsNumber(n) ? n->valuedouble : 0;
}

/* With -v: what became of the tries at sentences. */
static void say_counts(tdm_recommender *r)
{
    char *text = NULL;
    if (tdm_recommender_counts(r, &text, NULL)) return;
    cJSON *o = cJSON_Parse(text);
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(o, "sentences");
    if (counted(s, "gpt2") + counted(s, "review") + counted(s, "evidence") + counted(s, "none") > 0)
        fprintf(
            stderr,
            "sentences: %.0f by GPT-2, %.0f by reviewers, %.0f plain, %.0f none, %.0f tried again; of %.0f tries %.0f "
            "came to no sentence, %.0f said what is no evidence, %.0f held a blocked word\n",
            counted(s, "gpt2"), counted(s, "review"), counted(s, "evidence"), counted(s, "none"), counted(s, "again"),
            counted(s, "tries"), counted(s, "unfinished"), counted(s, "unbacked"), counted(s, "blocked"));
    cJSON_Delete(o);
    tdm_text_free(text);
}

/* Opens the folder, asks, shows: what every verb on a trained model does. */
static int ask(cli_args *a, tdm_status (*question)(tdm_recommender *, char **, cli_args *, tdm_err *),
               void (*show)(const cJSON *))
{
    tdm_err err = {{0}};
    tdm_recommender *r;
    char *answer = NULL;
    tdm_status st = tdm_recommender_open(&r, a->words.at[0], &err);
    if (!st) st = question(r, &answer, a, &err);
    if (!st && a->verbose) say_counts(r);
    tdm_recommender_close(r);
    return cli_answer(a, st, answer, show, &err);
}

/* What --exclude-file lists. Ids that nothing is known of are said, not refused: a shop's list outlives its models. */
static tdm_status exclude(tdm_recommender *r, const cli_args *a, tdm_err *err)
{
    size_t unknown = 0;
    if (!a->exclude_file) return TDM_OK;
    tdm_status st = tdm_recommender_exclude(r, &unknown, a->exclude_file, err);
    if (!st && unknown && !a->quiet)
        fprintf(stderr, "tandem recommend: warning: %s: %zu %s of items that %s does not know %s passed over\n",
                a->exclude_file, unknown, unknown == 1 ? "id" : "ids", a->words.at[0], unknown == 1 ? "was" : "were");
    return st;
}

static tdm_status recommend(tdm_recommender *r, char **answer, cli_args *a, tdm_err *err)
{
    tdm_status st = exclude(r, a, err);
    if (!st && a->block) st = tdm_recommender_block(r, a->block, err);
    if (st) return st;
    a->q.words = a->explain || a->json;
    return tdm_recommender_recommend(r, answer, &a->q, err);
}

static tdm_status explain(tdm_recommender *r, char **answer, cli_args *a, tdm_err *err)
{
    tdm_status st = a->block ? tdm_recommender_block(r, a->block, err) : TDM_OK;
    if (st) return st;
    a->q.words = 1;
    return tdm_recommender_explain(r, answer, &a->q, a->item, err);
}

static tdm_status similar(tdm_recommender *r, char **answer, cli_args *a, tdm_err *err)
{
    return tdm_recommender_similar(r, answer, a->item, a->q.user, a->q.model, a->q.n, err);
}

static int to_standard_output(void *ctx, const char *bytes, size_t n)
{
    (void)ctx;
    return fwrite(bytes, 1, n, stdout) != n;
}

/* For everybody. With "-" the recommendations are what goes to standard output, and the summary is not shown. */
static int recommend_all(cli_args *a, tdm_run *run)
{
    tdm_err err = {{0}};
    tdm_recommender *r;
    char *summary = NULL;
    bool out = !strcmp(a->all, "-");
    if (a->q.user || a->q.history || a->explain || a->block || a->q.sentence) {
        fprintf(stderr, a->explain || a->block || a->q.sentence
                            ? "tandem recommend: --all gives items and scores; ask with --user for the reasons of one\n"
                            : "tandem recommend: --all is for everybody; leave out --user and --history\n");
        return CLI_USAGE;
    }
    tdm_status st = tdm_recommender_open(&r, a->words.at[0], &err);
    if (!st) st = exclude(r, a, &err);
    if (!st)
        st =
            tdm_recommender_recommend_all(r, &summary, &a->q, out ? NULL : a->all, to_standard_output, NULL, run, &err);
    tdm_recommender_close(r);
    if (st || !out) return cli_answer(a, st, summary, cli_show_fields, &err);
    tdm_text_free(summary);
    return CLI_DONE;
}

int cmd_recommend(cli_args *a, tdm_run *run)
{
    if (a->all) return recommend_all(a, run);
    if (!a->q.user == !a->q.history) {
        fprintf(stderr, "tandem recommend: say for whom: --user ID, --history ID,ID (--history \"\" is a newcomer) or "
                        "--all FILE\n");
        return CLI_USAGE;
    }
    return ask(a, recommend, cli_show_recommendations);
}

int cmd_explain(cli_args *a, tdm_run *run)
{
    (void)run;
    if (!a->item || !a->q.user == !a->q.history) {
        fprintf(stderr, "tandem explain: say --item ID, and --user ID or --history ID,ID\n");
        return CLI_USAGE;
    }
    return ask(a, explain, cli_show_recommendations);
}

int cmd_similar(cli_args *a, tdm_run *run)
{
    (void)run;
    if (!a->item == !a->q.user) {
        fprintf(stderr, "tandem similar: say --item ID or --user ID\n");
        return CLI_USAGE;
    }
    return ask(a, similar, cli_show_similar);
}

int cmd_inspect(cli_args *a, tdm_run *run)
{
    (void)run;
    tdm_err err = {{0}};
    char *answer = NULL;
    tdm_status st = tdm_inspect(&answer, a->words.at[0], &err);
    return cli_answer(a, st, answer, cli_show_inspected, &err);
}

int cmd_doctor(cli_args *a, tdm_run *run)
{
    (void)run;
    tdm_err err = {{0}};
    char *answer = NULL;
    tdm_status st = tdm_doctor(&answer, &err);
    return cli_answer(a, st, answer, cli_show_fields, &err);
}

int cmd_export(cli_args *a, tdm_run *run)
{
    (void)run;
    tdm_err err = {{0}};
    const char *to[] = {a->csv, a->recbole, a->sequences, a->gguf}, *format[] = {"csv", "recbole", "sequences", "gguf"};
    size_t asked = 0;
    for (int i = 0; i < 4; i++) {
        if (!to[i]) continue;
        tdm_status st = tdm_export(a->words.at[0], format[i], to[i], &err);
        if (st) return cli_fail(st, &err);
        fprintf(stderr, "wrote %s\n", to[i]);
        asked++;
    }
    if (asked) return CLI_DONE;
    fprintf(stderr,
            "tandem export: say what to write: --csv FOLDER, --recbole FOLDER, --sequences FILE or --gguf FILE\n");
    return CLI_USAGE;
}
