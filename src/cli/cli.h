/* SPDX-License-Identifier: Apache-2.0 */
/* cli.h - what the verbs share: arguments, option tables, the terminal.
 *
 * Results go to standard output, everything else to standard error. Only this folder prints and exits. */
#ifndef TDM_CLI_CLI_H
#define TDM_CLI_CLI_H

#include "tandem.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

/* Exit statuses. */
enum { CLI_DONE = 0, CLI_COULD_NOT = 1, CLI_USAGE = 2, CLI_INTERRUPTED = 130 };

/* ---- arguments ---- */

enum { CLI_MAX_LIST = 256 };

typedef struct cli_list {
    const char *at[CLI_MAX_LIST];
    size_t n;
} cli_list;

/* Everything any verb can be told; each verb's table names the part it reads. */
typedef struct cli_args {
    tdm_options o;
    tdm_query q;
    cli_list words; /* what is not an option: SOURCE..., MODEL, PATH */
    cli_list set, form;
    const char *out, *config, *log, *all, *exclude_file, *block, *item, *metric, *csv, *recbole, *sequences, *gguf;
    size_t threads, seed, verbose;
    bool json, quiet, help, print_config, explain, strict, mend_ids, refit, text;
} cli_args;

typedef enum cli_kind { CLI_FLAG, CLI_TEXT, CLI_SIZE, CLI_BYTES, CLI_REAL, CLI_REPEAT } cli_kind;

typedef struct cli_option {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* 0: none */
    cli_kind kind;
    const char *value; /* "FILE"; NULL for a flag */
    size_t at;         /* offset of the field in cli_args */
    const char *help;
} cli_option;

extern const cli_option cli_common[], cli_prepare_options[], cli_memory_option[], cli_protocol_options[],
    cli_train_options[], cli_tune_options[], cli_evaluate_options[], cli_out_option[], cli_query_options[],
    cli_block_option[], cli_recommend_options[], cli_item_option[], cli_export_options[],
    cli_forget_options[];

typedef struct cli_verb {
    const char *name, *words, *summary;
    int (*run)(cli_args *a, tdm_run *run);
    size_t least_words, most_words;
    const cli_option *options[7]; /* tables, NULL at the end; cli_common belongs to all */
    const char *more;             /* what --help says below the options; may be NULL */
} cli_verb;

extern const cli_verb cli_verbs[]; /* ends with a NULL name */

/* Reads flags, then TANDEM_... from the environment, then the file given with -c, the earlier winning. Returns
 * CLI_DONE, or CLI_USAGE or CLI_COULD_NOT after printing one sentence. */
int cli_parse(cli_args *a, const cli_verb *verb, int argc, char **argv);

void cli_help(const cli_verb *verb, FILE *to); /* NULL: the list of verbs */
void cli_print_config(const cli_verb *verb, const cli_args *a);

/* ---- terminal ---- */

/* Opens the run that reports to the terminal and to --log, and sends Ctrl-C to it. */
tdm_status cli_run_open(tdm_run **run, const cli_args *a, tdm_err *err);
void cli_run_close(tdm_run *run);
int cli_width(void); /* columns of the terminal; 100 where there is none */

/* From _begin to _end Ctrl-C and TERM cancel the run; _block comes before any other thread is started. */
void cli_interrupt_block(void);
void cli_interrupt_begin(tdm_run *run);
void cli_interrupt_end(void);

/* Prints the sentence of a failure and gives the exit status that fits it. */
int cli_fail(tdm_status st, const tdm_err *err);

/* Text from data to a terminal: control characters become spaces, cut to `columns` characters with an ellipsis (0: not
 * cut). Returns the columns used. */
size_t cli_put_text(FILE *to, const char *text, size_t columns);

/* ---- answers ---- */

/* With --json the document itself, else show(). Frees `text`; returns the exit status. */
int cli_answer(const cli_args *a, tdm_status st, char *text, void (*show)(const cJSON *), const tdm_err *err);

void cli_show_health(const cJSON *health);
void cli_show_recommendations(const cJSON *answer);
void cli_show_similar(const cJSON *answer);
void cli_show_inspected(const cJSON *answer); /* fields, and the health table of a folder */
void cli_show_fields(const cJSON *answer); /* any object, a field a line */

/* ---- verbs ---- */

int cmd_demo(cli_args *a, tdm_run *run);
int cmd_fit(cli_args *a, tdm_run *run);
int cmd_prepare(cli_args *a, tdm_run *run);
int cmd_train(cli_args *a, tdm_run *run);
int cmd_tune(cli_args *a, tdm_run *run);
int cmd_update(cli_args *a, tdm_run *run);
int cmd_evaluate(cli_args *a, tdm_run *run);
int cmd_compare(cli_args *a, tdm_run *run);
int cmd_recommend(cli_args *a, tdm_run *run);
int cmd_explain(cli_args *a, tdm_run *run);
int cmd_similar(cli_args *a, tdm_run *run);
int cmd_inspect(cli_args *a, tdm_run *run);
int cmd_export(cli_args *a, tdm_run *run);
int cmd_forget(cli_args *a, tdm_run *run);
int cmd_models(cli_args *a, tdm_run *run);
int cmd_doctor(cli_args *a, tdm_run *run);

#endif
