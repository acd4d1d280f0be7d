/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - one table is dispatch, help and what the tests walk over. */
#include "cli/cli.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define FIT_OPTIONS                                                                                                    \
    cli_out_option, cli_prepare_options, cli_memory_option, cli_protocol_options, cli_train_options,                   \
        cli_evaluate_options

const cli_verb cli_verbs[] = {
    {"demo",
     "[FOLDER]",
     "make the sample data, fit it, and print explained recommendations",
     cmd_demo,
     0,
     1,
     {cli_train_options},
     NULL},
    {"fit",
     "SOURCE…",
     "from raw files to a trained, evaluated model folder",
     cmd_fit,
     1,
     CLI_MAX_LIST,
     {FIT_OPTIONS},
     "Example: tandem fit Gift_Cards_5.json.gz --items meta_Gift_Cards.json.gz -o gift-cards\n"
     "A fit that was interrupted goes on where it stopped when it is started again.\n"},
    {"prepare",
     "SOURCE…",
     "read, clean and index raw files into a dataset folder",
     cmd_prepare,
     1,
     CLI_MAX_LIST,
     {cli_out_option, cli_prepare_options, cli_memory_option},
     NULL},
    {"train",
     "DATASET",
     "train models on a dataset folder",
     cmd_train,
     1,
     1,
     {cli_out_option, cli_memory_option, cli_protocol_options, cli_train_options},
     NULL},
    {"tune",
     "DATASET",
     "search for the settings of models, then train with the best and judge them",
     cmd_tune,
     1,
     1,
     {cli_out_option, cli_tune_options, cli_memory_option, cli_protocol_options, cli_train_options,
      cli_evaluate_options},
     "--set and --preset say where a search begins. One that was stopped goes on where it was when it is started again.\n"
     "Example: tandem tune data -o tuned --models ease,gpt2-items,hybrid --budget 30m\n"},
    {"update",
     "MODEL DATASET",
     "take new events into a model without training it again",
     cmd_update,
     2,
     2,
     {cli_out_option},
     "DATASET holds the old events and the new ones: prepare both files together. The split is the model's own.\n"
     "Example: tandem prepare old.csv new.csv -o data2; tandem update shop data2 -o shop2\n"},
    {"evaluate",
     "MODEL",
     "judge every model of a folder on held-out data",
     cmd_evaluate,
     1,
     1,
     {cli_evaluate_options},
     NULL},
    {"compare",
     "A B",
     "two models of one dataset, paired person by person",
     cmd_compare,
     2,
     2,
     {cli_evaluate_options},
     "A and B are FOLDER (its hybrid) or FOLDER:MODEL.\n"},
    {"recommend",
     "MODEL",
     "recommend to a person, for a history, or to everybody",
     cmd_recommend,
     1,
     1,
     {cli_recommend_options, cli_query_options, cli_block_option},
     "Example: tandem recommend gift-cards --history B004LLIKVU,B00PG8502O:4 --explain\n"
     "         tandem recommend gift-cards --all everybody.csv -n 20\n"},
    {"explain",
     "MODEL",
     "the evidence and the sentence for one person and item",
     cmd_explain,
     1,
     1,
     {cli_item_option, cli_query_options, cli_block_option},
     NULL},
    {"similar",
     "MODEL",
     "the items most like an item, or people most like a person",
     cmd_similar,
     1,
     1,
     {cli_item_option, cli_query_options},
     NULL},
    {"inspect", "PATH", "say what a dataset, a model, a safetensors or a raw file is", cmd_inspect, 1, 1, {NULL}, NULL},
    {"export", "MODEL", "write the data, or the GPT-2, for other tools", cmd_export, 1, 1, {cli_export_options}, NULL},
    {"forget",
     "DATASET [MODEL…]",
     "take a person out of a dataset, and say what models still hold of them",
     cmd_forget,
     1,
     CLI_MAX_LIST,
     {cli_forget_options},
     "A model cannot unlearn: train again on the dataset to take the person out of it.\n"},
    {"models", "", "list the models and their parameters", cmd_models, 0, 0, {NULL}, NULL},
    {"doctor", "", "the machine, the kernels in use, the libraries", cmd_doctor, 0, 0, {NULL}, NULL},
    {0},
};

static const cli_verb *find_verb(const char *name)
{
    for (const cli_verb *v = cli_verbs; v->name; v++)
        if (!strcmp(v->name, name)) return v;
    return NULL;
}

static int no_such_verb(const char *name)
{
    const cli_verb *nearest = NULL;
    size_t best = 3;
    for (const cli_verb *v = cli_verbs; v->name; v++) {
        size_t d = tdm_spelling_distance(name, v->name);
        if (d < best) best = d, nearest = v;
    }
    fprintf(stderr, "tandem: there is no verb %s; ", name);
    if (nearest) fprintf(stderr, "did you mean %s?\n", nearest->name);
    else fprintf(stderr, "`tandem --help` lists them\n");
    return CLI_USAGE;
}

/* The command line as one can paste it into a shell, for the report. Lives as long as the program; "" where memory is
 * short. */
static const char *command_line(int argc, char **argv)
{
    size_t room = sizeof "tandem";
    for (int i = 1; i < argc; i++) room += 4 * strlen(argv[i]) + 3; /* a quote takes four bytes */
    char *line = malloc(room), *to = line;
    if (!line) return "";
    to = stpcpy(to, "tandem");
    for (int i = 1; i < argc; i++) {
        const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
        bool quote = !argv[i][0] || argv[i][strspn(argv[i], plain)];
        *to++ = ' ';
        if (quote) *to++ = '\'';
        for (const char *c = argv[i]; *c; c++)
            if (*c == '\'') to = stpcpy(to, "'\\''");
            else *to++ = *c;
        if (quote) *to++ = '\'';
        *to = 0;
    }
    return line;
}

int main(int argc, char **argv)
{
    static cli_args a = {.seed = 1};
    tdm_err err = {{0}};
    setlocale(LC_CTYPE, "C.UTF-8");
    if (argc < 2) {
        cli_help(NULL, stderr);
        return CLI_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        const cli_verb *about = argc > 2 ? find_verb(argv[2]) : NULL;
        if (argc > 2 && !about) return no_such_verb(argv[2]);
        cli_help(about, stdout);
        return CLI_DONE;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("tandem " TDM_VERSION "\n");
        return CLI_DONE;
    }
    const cli_verb *verb = find_verb(argv[1]);
    if (!verb) return no_such_verb(argv[1]);
    int rc = cli_parse(&a, verb, argc - 2, argv + 2);
    if (rc != CLI_DONE) return rc;
    if (a.help) {
        cli_help(verb, stdout);
        return CLI_DONE;
    }
    if (a.print_config) {
        cli_print_config(verb, &a);
        return CLI_DONE;
    }
    a.o.command = command_line(argc, argv);
    tdm_run *run;
    tdm_status st = cli_run_open(&run, &a, &err);
    if (st) return cli_fail(st, &err);
    rc = verb->run(&a, run);
    cli_run_close(run);
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "tandem: could not write to standard output\n");
        return CLI_COULD_NOT;
    }
    return rc;
}
