/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli.c - arguments, environment and file; what is printed where, and the exit status. The program is run as a
 * user runs it; nothing here needs a model. */
#include "check.h"
#include "cli/program.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs and checks the status and, where not NULL, that `needle` is in the text. */
static void expect(const char *prefix, const char *arguments, int status, const char *in_out, const char *in_err)
{
    said s = program_run(prefix, arguments);
    if (s.status != status || (in_out && !strstr(s.out, in_out)) || (in_err && !strstr(s.err, in_err)))
        fail_msg("%s tandem %s: status %d, not %d\nout: %s\nerr: %s\nwanted: %s%s", prefix, arguments, s.status, status,
                 s.out, s.err, in_out ? in_out : "", in_err ? in_err : "");
    if (status) CHECK(!*s.out); /* results alone go to standard output */
    said_clear(&s);
}

static void help_is_a_result_and_no_verb_is_wrong_usage(void **state)
{
    (void)state;
    expect("", "", 2, NULL, "usage: tandem VERB");
    expect("", "--help", 0, "usage: tandem VERB", NULL);
    expect("", "help fit", 0, "usage: tandem fit", NULL);
    expect("", "fit --help", 0, "--items FILE", NULL);
    expect("", "fit no-such-file --help", 0, "usage: tandem fit", NULL);
    expect("", "--version", 0, "tandem " TDM_VERSION "\n", NULL);
}

static size_t columns(const char *line, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += ((unsigned char)line[i] & 0xc0) != 0x80;
    return count;
}

static void every_verb_explains_itself_within_a_line(void **state)
{
    (void)state;
    said all = program_run("", "--help");
    size_t verbs = 0;
    for (char *line = all.out; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        char verb[32], arguments[64];
        if (strncmp(line, "  ", 2) || sscanf(line, " %31s", verb) != 1) continue;
        snprintf(arguments, sizeof arguments, "%s --help", verb);
        said s = program_run("", arguments);
        CHECK(s.status == 0 && !*s.err);
        CHECK(strstr(s.out, "-j, --threads N"));
        for (const char *c = s.out; *c;) {
            size_t n = strcspn(c, "\n");
            if (columns(c, n) > 120) fail_msg("tandem %s: longer than 120 columns: %.*s", arguments, (int)n, c);
            c += n + (c[n] == '\n');
        }
        said_clear(&s);
        verbs++;
    }
    CHECK(verbs >= 13);
    said_clear(&all);
}

static void what_was_meant_is_named(void **state)
{
    (void)state;
    expect("", "recomend m", 2, NULL, "no verb recomend; did you mean recommend?");
    expect("", "xyzzyx", 2, NULL, "`tandem --help` lists them");
    expect("", "fit a -o b --prest quick", 2, NULL, "did you mean --preset?");
    expect("", "fit a -o b --zzzzzzzz", 2, NULL, "see `tandem fit --help`");
    expect("", "fit a -o b --preset quik", 1, NULL, "quick, standard or best, not \"quik\"");
    expect("", "fit a -o b --models easy", 1, NULL, "there is no model \"easy\"");
    expect("", "fit a -o b --set item-knn.kk=3", 1, NULL, "item-knn has no parameter \"kk\"");
    expect("", "fit a -o b --set item-knn.k=many", 1, NULL, "\"many\" is not a number");
    expect("", "fit a -o b --split tim", 1, NULL, "time, leave-one-out, ratio, files or cold-items");
    expect("", "fit a -o b -k 5,x", 1, NULL, "-k");
    expect("", "fit a -o b --on train", 1, NULL, "test or validation");
    expect("", "fit a -o b --gpt2 nowhere", 1, NULL, "--gpt2 nowhere: there is no such folder");
}

static void wrong_usage_is_two(void **state)
{
    (void)state;
    expect("", "fit", 2, NULL, "needs SOURCE");
    expect("", "fit a", 2, NULL, "-o FOLDER");
    expect("", "train a b -o c", 2, NULL, "does not know what to do with b");
    expect("", "fit a -o", 2, NULL, "-o needs a value");
    expect("", "fit a -o b --json=yes", 2, NULL, "takes no value");
    expect("", "recommend m", 2, NULL, "say for whom");
    expect("", "recommend m --user a --history b", 2, NULL, "say for whom");
    expect("", "explain m --user a", 2, NULL, "--item ID");
    expect("", "similar m --item a --user b", 2, NULL, "--item ID or --user ID");
    expect("", "export m", 2, NULL, "--csv FOLDER");
    expect("", "doctor -j -1", 2, NULL, "--threads takes a whole number, not \"-1\"");
    expect("", "doctor -j 99999999999999999999999", 2, NULL, "--threads takes a whole number");
    expect("", "evaluate m --newest one", 2, NULL, "--newest takes a whole number, not \"one\"");
    expect("", "evaluate m --split cold-items", 2, NULL, "--split");
    expect("", "doctor --seed 1e3", 2, NULL, "--seed takes a whole number, not \"1e3\"");
    expect("", "prepare a -o b --min-rating low", 2, NULL, "--min-rating takes a number, not \"low\"");
    expect("TANDEM_SEED=x", "doctor", 2, NULL, "--seed takes a whole number, not \"x\"");
}

static void what_is_not_there_is_one(void **state)
{
    (void)state;
    expect("", "evaluate nowhere", 1, NULL, "nowhere");
    expect("", "recommend nowhere --user a", 1, NULL, "nowhere");
    expect("", "fit nowhere.csv -o m", 1, NULL, "nowhere.csv");
    expect("", "inspect nowhere", 1, NULL, "nowhere");
    expect("", "doctor -c nowhere", 1, NULL, "nowhere: could not open");
    expect("", "doctor --log nowhere/log", 1, NULL, "nowhere/log: could not open the log");
}

static void a_flag_may_be_written_in_every_usual_way(void **state)
{
    (void)state;
    expect("", "doctor --print-config -j4", 0, "threads = 4\n", NULL);
    expect("", "doctor --print-config -j 4", 0, "threads = 4\n", NULL);
    expect("", "doctor --print-config --threads=4", 0, "threads = 4\n", NULL);
    expect("", "doctor --print-config --threads 4", 0, "threads = 4\n", NULL);
    expect("", "doctor --print-config -qv", 0, "quiet = yes\n", NULL);
    expect("", "doctor --print-config -vv", 0, "verbose = yes\n", NULL);
    expect("", "doctor --print-config -qx", 2, NULL, "-qx");
    expect("", "fit --print-config --set a.b=1 --set c.d=2", 0, "set = a.b=1\nset = c.d=2\n", NULL);
    expect("", "inspect -- --seed", 1, NULL, "--seed");
}

static void flag_beats_environment_beats_file(void **state)
{
    (void)state;
    char *file = scratch_file("all.conf", "# a comment\n\nseed = 3\n threads=5 \r\npreset = quick\nquiet = no\njson\n");
    expect("", "fit --print-config -c all.conf", 0, "seed = 3\n", NULL);
    expect("", "fit --print-config -c all.conf", 0, "threads = 5\n", NULL);
    expect("", "fit --print-config -c all.conf", 0, "preset = quick\n", NULL);
    expect("", "fit --print-config -c all.conf", 0, "json = yes\n", NULL);
    expect("", "fit --print-config -c all.conf", 0, "quiet = no\n", NULL);
    expect("TANDEM_SEED=4", "fit --print-config -c all.conf", 0, "seed = 4\n", NULL);
    expect("TANDEM_SEED=4", "fit --print-config -c all.conf --seed 5", 0, "seed = 5\n", NULL);
    expect("TANDEM_MIN_RATING=2.5", "fit --print-config", 0, "min-rating = 2.5\n", NULL);
    expect("TANDEM_CONFIG=all.conf", "fit --print-config", 0, "seed = 3\n", NULL);
    expect("", "doctor --print-config -c all.conf", 0, "seed = 3\n", NULL); /* preset is another verb's: passed over */
    free(file);
}

static void a_slip_in_the_file_is_named_by_its_line(void **state)
{
    (void)state;
    free(scratch_file("bad.conf", "seed = 3\nsede = 4\n"));
    free(scratch_file("value.conf", "seed = three\n"));
    expect("", "doctor -c bad.conf", 1, NULL, "bad.conf:2: there is no option sede");
    expect("", "doctor -c value.conf", 2, NULL, "--seed takes a whole number, not \"three\"");
}

static void print_config_reads_back_as_itself(void **state)
{
    (void)state;
    said first =
        program_run("", "fit --print-config --seed 9 --min-rating 0.1 --set a.b=1 --set c.d=2 --items 'my items' -v");
    CHECK(first.status == 0);
    char *file = scratch_file("again.conf", first.out);
    said second = program_run("", "fit --print-config -c again.conf");
    CHECK(second.status == 0);
    const char *config = strstr(second.out, "config = again.conf\n"); /* the one thing that differs */
    CHECK(config && strstr(first.out, "# config = (default)\n"));
    CHECK(!strncmp(first.out, second.out, (size_t)(config - second.out)));
    free(file);
    said_clear(&first);
    said_clear(&second);
}

static void answers_are_json_when_asked(void **state)
{
    (void)state;
    const char *verbs[] = {"doctor --json", "models --json"};
    for (int i = 0; i < 2; i++) {
        said s = program_run("", verbs[i]);
        cJSON *json;
        tdm_err err;
        CHECK(s.status == 0);
        CHECK_OK(tdm_json_parse(&json, s.out, strlen(s.out), verbs[i], &err), err);
        CHECK(i ? cJSON_GetArraySize(json) >= 8 : cJSON_GetObjectItem(json, "kernels") != NULL);
        cJSON_Delete(json);
        said_clear(&s);
    }
}

static void the_log_is_json_lines(void **state)
{
    (void)state;
    expect("", "inspect nowhere --log run.log", 1, NULL, "nowhere");
    expect("", "inspect nowhere2 --log run.log", 1, NULL, "nowhere2");
    char *path = scratch_file("run.log", NULL), line[2048];
    FILE *f = fopen(path, "r");
    CHECK(f);
    int lines = 0;
    while (fgets(line, sizeof line, f)) {
        cJSON *json;
        tdm_err err;
        CHECK_OK(tdm_json_parse(&json, line, strlen(line), path, &err), err);
        CHECK(!strcmp(tdm_json_str(json, "level", ""), "error"));
        CHECK(*tdm_json_str(json, "time", "") && *tdm_json_str(json, "stage", ""));
        CHECK(strstr(tdm_json_str(json, "message", ""), "nowhere"));
        cJSON_Delete(json);
        lines++;
    }
    CHECK(lines == 2); /* a second run adds to the log */
    fclose(f);
    free(path);
}

static void a_closed_pipe_ends_it_quietly(void **state)
{
    (void)state;
    said s = program_run("", "models | true; echo done");
    CHECK(s.status == 0 && !strcmp(s.out, "done\n") && !*s.err);
    said_clear(&s);
    expect("", "models >/dev/full", 1, NULL, "could not write to standard output");
}

static int begin(void **state)
{
    (void)state;
    unsetenv("TANDEM_CONFIG");
    scratch_open();
    return 0;
}

static int end(void **state)
{
    (void)state;
    scratch_close();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_is_a_result_and_no_verb_is_wrong_usage),
        cmocka_unit_test(every_verb_explains_itself_within_a_line),
        cmocka_unit_test(what_was_meant_is_named),
        cmocka_unit_test(wrong_usage_is_two),
        cmocka_unit_test(what_is_not_there_is_one),
        cmocka_unit_test(a_flag_may_be_written_in_every_usual_way),
        cmocka_unit_test(flag_beats_environment_beats_file),
        cmocka_unit_test(a_slip_in_the_file_is_named_by_its_line),
        cmocka_unit_test(print_config_reads_back_as_itself),
        cmocka_unit_test(answers_are_json_when_asked),
        cmocka_unit_test(the_log_is_json_lines),
        cmocka_unit_test(a_closed_pipe_ends_it_quietly),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
