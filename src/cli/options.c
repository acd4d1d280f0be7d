/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - the option tables: parsing, --help, --print-config and the file of -c all read these. */
#include "cli/cli.h"

#define AT(field) offsetof(cli_args, field)

const cli_option cli_common[] = {
    {"threads", 'j', CLI_SIZE, "N", AT(threads), "threads to use (default: one for each processor)"},
    {"seed", 0, CLI_SIZE, "N", AT(seed), "seed of everything drawn (default 1): same seed, same bytes"},
    {"json", 0, CLI_FLAG, NULL, AT(json), "answer as one JSON document"},
    {"verbose", 'v', CLI_FLAG, NULL, AT(verbose), "say what is being done; twice: in detail"},
    {"quiet", 'q', CLI_FLAG, NULL, AT(quiet), "no progress, only errors"},
    {"log", 0, CLI_TEXT, "FILE", AT(log), "write the log as JSON lines: time, level, stage, message"},
    {"config", 'c', CLI_TEXT, "FILE", AT(config), "read options from a file of `name = value` lines"},
    {"print-config", 0, CLI_FLAG, NULL, AT(print_config), "print what is in force, and stop"},
    {"help", 'h', CLI_FLAG, NULL, AT(help), "show this"},
    {0},
};

const cli_option cli_out_option[] = {
    {"out", 'o', CLI_TEXT, "FOLDER", AT(out), "where the result goes (needed)"},
    {0},
};

const cli_option cli_prepare_options[] = {
    {"items", 0, CLI_TEXT, "FILE", AT(o.items), "metadata of the items: titles, brands, categories"},
    {"test", 0, CLI_TEXT, "FILE", AT(o.test), "the held-out rows of --split files"},
    {"format", 0, CLI_TEXT, "NAME", AT(o.format), "how to read the sources (default: found by looking)"},
    {"map", 0, CLI_TEXT, "user=COL,…", AT(o.map), "which columns are user, item, rating, time, text, summary, title, event; event:NAME=WEIGHT"},
    {"core", 0, CLI_SIZE, "N", AT(o.core), "keep only people and items with N interactions (k-core)"},
    {"min-rating", 0, CLI_REAL, "R", AT(o.min_rating), "leave out rows rated below R"},
    {"strict", 0, CLI_FLAG, NULL, AT(strict), "stop at the first bad row"},
    {"max-bad", 0, CLI_REAL, "SHARE", AT(o.max_bad), "refuse a file of which more than this share of rows is bad (default 0.5)"},
    {"mend-ids", 0, CLI_FLAG, NULL, AT(mend_ids), "put back leading zeros that a spreadsheet took off ids"},
    {"keep", 0, CLI_TEXT, "RULE,…", AT(o.keep), "leave rules out: duplicates, scale, placeholders, people, html, length"},
    {"rejects", 0, CLI_TEXT, "FILE", AT(o.rejects), "write bad rows here, as JSON lines with the reason"},
    {0},
};

const cli_option cli_memory_option[] = {
    {"memory", 0, CLI_BYTES, "SIZE", AT(o.memory), "memory to prepare in and to train a GPT-2 in, such as 256M (default: by what is there)"},
    {0},
};

const cli_option cli_protocol_options[] = {
    {"split", 0, CLI_TEXT, "NAME", AT(o.split), "time (default), leave-one-out, ratio, files or cold-items"},
    {"ties", 0, CLI_TEXT, "NAME", AT(o.ties), "equal times keep the file's order (file, default) or a drawn one (shuffle)"},
    {"seen", 0, CLI_TEXT, "NAME", AT(o.seen), "leave a person's own items out (filter, default) or rank them too (keep)"},
    {"duplicates", 0, CLI_TEXT, "NAME", AT(o.duplicates), "of a person's rows for one item: newest (default), oldest, sum, keep"},
    {"positive-from", 0, CLI_REAL, "R", AT(o.positive_from), "rated below R is a dislike, never a target (default: none is)"},
    {"refit", 0, CLI_FLAG, NULL, AT(refit), "fit what validation chose once more, with its rows, before the test; both are judged"},
    {0},
};

const cli_option cli_train_options[] = {
    {"preset", 0, CLI_TEXT, "NAME", AT(o.preset), "quick, standard (default) or best"},
    {"models", 0, CLI_TEXT, "NAME,…", AT(o.models), "which models to train (default: all but the optional; `tandem models`)"},
    {"gpt2", 0, CLI_TEXT, "FOLDER", AT(o.gpt2), "begin gpt2-words from a pretrained GPT-2 (Hugging Face layout)"},
    {"form", 0, CLI_REPEAT, "FILE", AT(form), "a form of what gpt2-words reads, of reviews or of histories (may be repeated)"},
    {"train-log", 0, CLI_TEXT, "FILE", AT(o.train_log), "add lines of JSON on how the GPT-2s' training goes: step, loss, rate, memory"},
    {"set", 0, CLI_REPEAT, "M.P=X", AT(set), "set a model's parameter, such as gpt2-items.epochs=20 (may be repeated)"},
    {0},
};

const cli_option cli_tune_options[] = {
    {"trials", 0, CLI_SIZE, "N", AT(o.trials), "settings tried of each model, at most (default 30, or what the budget allows)"},
    {"budget", 0, CLI_TEXT, "TIME", AT(o.budget), "how long all trials may take together, such as 30m (default: no limit)"},
    {0},
};

const cli_option cli_evaluate_options[] = {
    {"cutoffs", 'k', CLI_TEXT, "N,N", AT(o.cutoffs), "lengths of the lists judged (default 5,10,20)"},
    {"on", 0, CLI_TEXT, "NAME", AT(o.on), "test (default) or validation"},
    {"diversity", 0, CLI_REAL, "X", AT(o.diversity), "judge lists as recommend --diversity makes them (default 0)"},
    {"newest", 0, CLI_SIZE, "N", AT(o.newest), "ask with the newest N items of each history alone (default: with all)"},
    {"text", 0, CLI_FLAG, NULL, AT(text), "judge the written sentences too, beside what people wrote themselves"},
    {"trec", 0, CLI_TEXT, "FOLDER", AT(o.trec), "write run and qrels files for trec_eval"},
    {"per-person", 0, CLI_TEXT, "FILE", AT(o.per_person), "write every person's values"},
    {"report", 0, CLI_TEXT, "FILE", AT(o.report), "where the HTML goes (default: the model, save with --on, --diversity, --newest)"},
    {0},
};

const cli_option cli_query_options[] = {
    {"user", 0, CLI_TEXT, "ID", AT(q.user), "a person of the data"},
    {"history", 0, CLI_TEXT, "ID,ID:5", AT(q.history), "a history, oldest first, ratings if you like"},
    {"model", 0, CLI_TEXT, "NAME", AT(q.model), "which model answers (default: the hybrid)"},
    {"n", 'n', CLI_SIZE, "N", AT(q.n), "how many (default 10)"},
    {"exclude", 0, CLI_TEXT, "ID,…", AT(q.exclude), "items not wanted"},
    {"category", 0, CLI_TEXT, "NAME", AT(q.category), "only items of this category"},
    {"diversity", 0, CLI_REAL, "X", AT(q.diversity), "0 to 1: prefer items unlike those above them (default 0)"},
    {"explain", 0, CLI_FLAG, NULL, AT(explain), "show why, and a sentence"},
    {"sentence", 0, CLI_TEXT, "WHOSE", AT(q.sentence), "gpt2, review (of the item) or evidence (default: what training chose)"},
    {0},
};

const cli_option cli_block_option[] = {
    {"block", 0, CLI_TEXT, "FILE", AT(block), "words and phrases that no sentence may hold, one a line"},
    {0},
};

const cli_option cli_recommend_options[] = {
    {"all", 0, CLI_TEXT, "FILE", AT(all), "for everybody, to a .jsonl, .csv or .tsv file; - is standard output, as JSON lines"},
    {"exclude-file", 0, CLI_TEXT, "FILE", AT(exclude_file), "items not wanted, one id a line; # begins a comment line"},
    {0},
};

const cli_option cli_item_option[] = {
    {"item", 0, CLI_TEXT, "ID", AT(item), "the item asked about"},
    {0},
};

const cli_option cli_export_options[] = {
    {"csv", 0, CLI_TEXT, "FOLDER", AT(csv), "interactions.csv and items.csv"},
    {"recbole", 0, CLI_TEXT, "FOLDER", AT(recbole), "RecBole's .inter and .item files"},
    {"sequences", 0, CLI_TEXT, "FILE", AT(sequences), "one person a line: id, then items in time order"},
    {"gguf", 0, CLI_TEXT, "FILE", AT(gguf), "the GPT-2 of words for llama.cpp; MODEL may be a published GPT-2's folder"},
    {0},
};

const cli_option cli_forget_options[] = {
    {"user", 0, CLI_TEXT, "ID", AT(q.user), "the person to forget (needed)"},
    {0},
};
