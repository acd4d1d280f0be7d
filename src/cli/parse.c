/* SPDX-License-Identifier: Apache-2.0 */
/* parse.c - flags, environment and file into cli_args. A value set by a stronger source is not overwritten. */
#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 64 };

/* All options of a verb in one list, with where each value came from. */
struct table {
    const cli_verb *verb;
    const cli_option *option[MAX_OPTIONS];
    bool set[MAX_OPTIONS];
    size_t n;
};

static void table_add(struct table *t, const cli_option *o)
{
    for (; o && o->name && t->n < MAX_OPTIONS; o++) t->option[t->n++] = o;
}

static struct table table_of(const cli_verb *verb)
{
    struct table t = {.verb = verb};
    for (size_t i = 0; verb->options[i]; i++) table_add(&t, verb->options[i]);
    table_add(&t, cli_common);
    return t;
}

static int find(const struct table *t, const char *name, size_t n)
{
    for (size_t i = 0; i < t->n; i++)
        if (strlen(t->option[i]->name) == n && !strncmp(t->option[i]->name, name, n)) return (int)i;
    return -1;
}

static int find_letter(const struct table *t, char letter)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->option[i]->letter == letter) return (int)i;
    return -1;
}

/* "268435456", "256M", "2G": powers of 1024. */
static bool bytes(size_t *out, const char *text)
{
    static const char units[] = "KMGT";
    char *end = NULL;
    unsigned long long v = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
    const char *unit = end && *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    if (!end || errno || (*end && (!unit || end[1]))) return false;
    int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    *out = (size_t)v << shift;
    return *out >> shift == v;
}

/* Puts `text` into the field; false where it is no number and one is needed. */
static bool assign(cli_args *a, const cli_option *o, const char *text)
{
    void *field = (char *)a + o->at;
    char *end = NULL;
    errno = 0;
    switch (o->kind) {
    case CLI_FLAG:
        if (o->at == offsetof(cli_args, verbose)) a->verbose++;
        else *(bool *)field = true;
        return true;
    case CLI_TEXT: *(const char **)field = text; return true;
    case CLI_SIZE: {
        unsigned long long v = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
        *(size_t *)field = (size_t)v;
        return end && !*end && !errno;
    }
    case CLI_BYTES: return bytes(field, text);
    case CLI_REAL: *(double *)field = strtod(text, &end); return end != text && !*end && !errno;
    case CLI_REPEAT: {
        cli_list *l = field;
        if (l->n == CLI_MAX_LIST) return false;
        l->at[l->n++] = text;
        return true;
    }
    }
    return false;
}

static int usage(const cli_verb *verb, const char *what, const char *about)
{
    fprintf(stderr, "tandem %s: %s%s; see `tandem %s --help`\n", verb->name, what, about, verb->name);
    return CLI_USAGE;
}

static int unknown(const struct table *t, const char *word)
{
    size_t nearest = 0, best = SIZE_MAX;
    const char *name = word + strspn(word, "-");
    for (size_t i = 0; i < t->n; i++) {
        size_t d = tdm_spelling_distance(name, t->option[i]->name);
        if (d < best) best = d, nearest = i;
    }
    fprintf(stderr, "tandem %s: there is no option %s", t->verb->name, word);
    if (best <= 2) fprintf(stderr, "; did you mean --%s?\n", t->option[nearest]->name);
    else fprintf(stderr, "; see `tandem %s --help`\n", t->verb->name);
    return CLI_USAGE;
}

static int bad_value(const struct table *t, const cli_option *o, const char *text)
{
    fprintf(stderr, "tandem %s: --%s takes %s, not \"%s\"\n", t->verb->name, o->name,
            o->kind == CLI_SIZE ? "a whole number" : o->kind == CLI_BYTES ? "bytes such as 256M or 2G" : o->kind == CLI_REAL ? "a number" : "no more values", text);
    return CLI_USAGE;
}

/* One flag at argv[*i], moving *i over a value of its own. */
static int flag(struct table *t, cli_args *a, int argc, char **argv, int *i)
{
    const char *word = argv[*i], *value = NULL;
    int k;
    if (word[1] == '-') {
        const char *equals = strchr(word, '=');
        k = find(t, word + 2, equals ? (size_t)(equals - word) - 2 : strlen(word + 2));
        if (equals) value = equals + 1;
    } else {
        k = find_letter(t, word[1]);
        if (k >= 0 && word[2]) {
            if (t->option[k]->kind != CLI_FLAG) value = word + 2;
            else { /* -vv, -qv: flags run together */
                for (const char *c = word + 1; *c; c++) {
                    k = find_letter(t, *c);
                    if (k < 0 || t->option[k]->kind != CLI_FLAG) return unknown(t, word);
                    assign(a, t->option[k], NULL);
                    t->set[k] = true;
                }
                return CLI_DONE;
            }
        }
    }
    if (k < 0) return unknown(t, word);
    const cli_option *o = t->option[k];
    if (o->kind == CLI_FLAG && value) return usage(t->verb, word, " takes no value");
    if (o->kind != CLI_FLAG && !value) {
        if (*i + 1 >= argc) return usage(t->verb, word, " needs a value");
        value = argv[++*i];
    }
    t->set[k] = true;
    return assign(a, o, value) ? CLI_DONE : bad_value(t, o, value);
}

static int environment(struct table *t, cli_args *a)
{
    for (size_t i = 0; i < t->n; i++) {
        char name[64] = "TANDEM_";
        size_t n = strlen(name);
        for (const char *c = t->option[i]->name; *c && n < sizeof name - 1; c++)
            name[n++] = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
        name[n] = 0;
        const char *value = getenv(name);
        if (!value || t->set[i]) continue;
        if (!assign(a, t->option[i], value)) return bad_value(t, t->option[i], value);
        t->set[i] = true;
    }
    return CLI_DONE;
}

static bool known_to_some_verb(const char *name, size_t n)
{
    for (const cli_verb *v = cli_verbs; v->name; v++) {
        struct table t = table_of(v);
        if (find(&t, name, n) >= 0) return true;
    }
    return false;
}

/* Texts stay in memory for good: they are pointed at. */
static int config(struct table *t, cli_args *a, const char *path)
{
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0, number = 0;
    if (!f) {
        fprintf(stderr, "tandem %s: %s: could not open: %s\n", t->verb->name, path, strerror(errno));
        return CLI_COULD_NOT;
    }
    int rc = CLI_DONE;
    while (rc == CLI_DONE && getline(&line, &cap, f) >= 0) {
        number++;
        char *name = line + strspn(line, " \t");
        name[strcspn(name, "\r\n")] = 0;
        if (!*name || *name == '#') continue;
        char *equals = strchr(name, '=');
        size_t n = equals ? (size_t)(equals - name) : strlen(name);
        while (n && isspace((unsigned char)name[n - 1])) n--;
        const char *value = equals ? equals + 1 + strspn(equals + 1, " \t") : "";
        int k = find(t, name, n);
        if (k < 0 && !known_to_some_verb(name, n)) {
            fprintf(stderr, "%s:%zu: there is no option %.*s; write `name = value`, see `tandem %s --help`\n", path,
                    number, (int)n, name, t->verb->name);
            rc = CLI_COULD_NOT;
        }
        if (k < 0 || t->set[k]) continue;
        char *kept = strdup(value);
        size_t end = kept ? strlen(kept) : 0;
        while (end && isspace((unsigned char)kept[end - 1])) kept[--end] = 0;
        bool off = t->option[k]->kind == CLI_FLAG && kept && !strcmp(kept, "no");
        if (!kept || (!off && !assign(a, t->option[k], kept))) rc = bad_value(t, t->option[k], value);
        if (t->option[k]->kind != CLI_TEXT && t->option[k]->kind != CLI_REPEAT) free(kept);
    }
    free(line);
    fclose(f);
    return rc;
}

int cli_parse(cli_args *a, const cli_verb *verb, int argc, char **argv)
{
    struct table t = table_of(verb);
    int rc = CLI_DONE;
    bool only_words = false;
    for (int i = 0; i < argc && rc == CLI_DONE; i++) {
        if (!only_words && !strcmp(argv[i], "--")) only_words = true;
        else if (!only_words && argv[i][0] == '-' && argv[i][1]) rc = flag(&t, a, argc, argv, &i);
        else if (a->words.n == CLI_MAX_LIST) rc = usage(verb, "too many files", "");
        else a->words.at[a->words.n++] = argv[i];
    }
    if (rc == CLI_DONE && a->help) return CLI_DONE;
    if (rc == CLI_DONE) rc = environment(&t, a);
    if (rc == CLI_DONE && a->config) rc = config(&t, a, a->config);
    if (rc != CLI_DONE) return rc;
    if (!a->print_config) {
        if (a->words.n < verb->least_words) return usage(verb, "needs ", verb->words);
        if (a->words.n > verb->most_words) return usage(verb, "does not know what to do with ", a->words.at[verb->most_words]);
    }
    a->o.set = a->set.at;
    a->o.n_set = a->set.n;
    a->o.forms = a->form.at;
    a->o.n_forms = a->form.n;
    a->o.strict = a->strict;
    a->o.mend_ids = a->mend_ids;
    a->o.refit = a->refit;
    a->o.text = a->text;
    a->q.seed = a->seed;
    return CLI_DONE;
}

void cli_print_config(const cli_verb *verb, const cli_args *a)
{
    struct table t = table_of(verb);
    for (size_t i = 0; i < t.n; i++) {
        const cli_option *o = t.option[i];
        const void *field = (const char *)a + o->at;
        if (o->at == offsetof(cli_args, print_config) || o->at == offsetof(cli_args, help)) continue;
        if (o->kind == CLI_TEXT && *(const char *const *)field) printf("%s = %s\n", o->name, *(const char *const *)field);
        else if (o->kind == CLI_TEXT) printf("# %s = (default)\n", o->name);
        else if (o->kind == CLI_SIZE || o->kind == CLI_BYTES) printf("%s = %zu\n", o->name, *(const size_t *)field);
        else if (o->kind == CLI_REAL) printf("%s = %.17g\n", o->name, *(const double *)field);
        else if (o->kind == CLI_FLAG && o->at == offsetof(cli_args, verbose)) printf("%s = %s\n", o->name, a->verbose ? "yes" : "no");
        else if (o->kind == CLI_FLAG) printf("%s = %s\n", o->name, *(const bool *)field ? "yes" : "no");
        else
            for (size_t k = 0; k < ((const cli_list *)field)->n; k++) printf("%s = %s\n", o->name, ((const cli_list *)field)->at[k]);
    }
}

void cli_help(const cli_verb *verb, FILE *to)
{
    if (!verb) {
        fprintf(to, "tandem " TDM_VERSION " - from a raw log of reviews to explained recommendations\n\n"
                    "usage: tandem VERB [OPTIONS]\n\n");
        for (const cli_verb *v = cli_verbs; v->name; v++) fprintf(to, "  %-10s %s\n", v->name, v->summary);
        fprintf(to, "\n`tandem VERB --help` lists a verb's options. Start with `tandem demo`.\n");
        return;
    }
    fprintf(to, "usage: tandem %s%s%s [OPTIONS]\n%s\n\n", verb->name, *verb->words ? " " : "", verb->words, verb->summary);
    struct table t = table_of(verb);
    for (size_t i = 0; i < t.n; i++) {
        const cli_option *o = t.option[i];
        char left[64];
        int n = o->letter ? snprintf(left, sizeof left, "-%c, --%s", o->letter, o->name)
                          : snprintf(left, sizeof left, "    --%s", o->name);
        if (o->value) snprintf(left + n, sizeof left - (size_t)n, " %s", o->value);
        size_t columns = 0;
        for (const char *c = left; *c; c++) columns += ((unsigned char)*c & 0xc0) != 0x80;
        fprintf(to, "  %s%*s  %s\n", left, columns < 26 ? (int)(26 - columns) : 0, "", o->help);
    }
    if (verb->more) fprintf(to, "\n%s", verb->more);
}
