/* SPDX-License-Identifier: Apache-2.0 */
/* test_answers.c - the verbs on a small trained folder: what they answer, and that docs/answers.md knows every key. */
#include "check.h"
#include "cli/program.h"

#include "base/file.h"
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a small log: two tastes, an item that everybody has, times and ratings ---- */

enum { PEOPLE = 40, EACH = 7 };

static void reviews_write(void)
{
    tdm_buf b = {0};
    tdm_buf_str(&b, "user,item,rating,time,summary\n");
    for (int u = 0; u < PEOPLE; u++)
        for (int k = 0; k < EACH; k++) {
            int i = (u % 2) * 10 + (u / 2 + k * (1 + u % 3)) % 10; /* rows 0 to 9 are tea, 10 to 19 are tools */
            tdm_buf_fmt(&b, "p%02d,i%02d,%d,%d,\"fine, \"\"%s\"\"\"\n", u, i, 1 + (u + i) % 5,
                        1500000000 + (u + 3 * k) * 86400, u % 2 ? "useful" : "tasty");
        }
    CHECK(!b.failed);
    free(scratch_file("reviews.csv", b.p));
    tdm_buf_reset(&b);
    for (int i = 0; i < 20; i++)
        tdm_buf_fmt(&b,
                    "{\"asin\": \"i%02d\", \"title\": \"%s number %d\", \"brand\": \"%s\", \"category\": [\"%s\"]}\n",
                    i, i < 10 ? "Green tea" : "Steel saw", i, i < 10 ? "Leaf" : "Ash", i < 10 ? "Tea" : "Tools");
    free(scratch_file("items.jsonl", b.p));
    tdm_buf_clear(&b);
}

static cJSON *json_of(const char *arguments)
{
    said s = program_run("", arguments);
    cJSON *json;
    tdm_err err;
    if (s.status) fail_msg("tandem %s: status %d: %s", arguments, s.status, s.err);
    CHECK_OK(tdm_json_parse(&json, s.out, strlen(s.out), arguments, &err), err);
    said_clear(&s);
    return json;
}

static const cJSON *of(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    if (!v) fail_msg("there is no %s", key);
    return v;
}

/* ---- the manual knows every key ---- */

/* Members named by the data (models, ratings, ...) stand for themselves; what is inside them is still looked at. */
static bool named_by_data(const char *key)
{
    static const char *const keys[] = {"parts",          "models",          "rejected",  "ratings",  "history",
                                       "target",         "definitions",     "fusion",    "training", "tensors",
                                       "roles",          "libraries",       "histogram", "counts",   "core",
                                       "text_languages", "title_languages", "events", "calibration"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strcmp(key, keys[i])) return true;
    return false;
}

static void keys_check(const cJSON *o, const char *manual, const char *inside, const char *arguments)
{
    const cJSON *v;
    cJSON_ArrayForEach(v, o)
    {
        char quoted[80], ticked[80];
        if (v->string && !(cJSON_IsObject(o) && named_by_data(inside)) && !strchr(v->string, '@')) {
            snprintf(quoted, sizeof quoted, "\"%s\"", v->string);
            snprintf(ticked, sizeof ticked, "`%s`", v->string);
            if (!strstr(manual, quoted) && !strstr(manual, ticked))
                fail_msg("tandem %s: \"%s\" in \"%s\" is not in docs/answers.md", arguments, v->string, inside);
        }
        bool free_form = v->string && (!strcmp(v->string, "fusion") || !strcmp(v->string, "definitions"));
        bool parameters = !strcmp(inside, "models") && !strstr(arguments, "evaluate") && !strstr(arguments, "compare");
        if (v->string && !strcmp(v->string, "settings")) continue; /* parameters of models */
        if (!free_form && !parameters) keys_check(v, manual, v->string ? v->string : inside, arguments);
    }
}

static void every_key_is_documented(void **state)
{
    (void)state;
    tdm_map m;
    tdm_err err;
    CHECK_OK(tdm_map_open(&m, TDM_SOURCE_DIR "/docs/answers.md", &err), err);
    char *manual = strndup((const char *)m.p, m.n);
    static const char *const all[] = {
        "recommend m --user p01 --json",
        "recommend m --history '' --json",
        "recommend m --all all.csv --json -q",
        "explain m --user p01 --item i03 --json",
        "similar m --item i03 --json",
        "similar m --user p01 --json",
        "prepare reviews.csv -o d --json -q",
        "evaluate m --json -q",
        "compare m m:popularity --json -q",
        "inspect m --json",
        "inspect d --json",
        "inspect m/content.safetensors --json",
        "inspect reviews.csv --json",
        "inspect items.jsonl --json",
        "train d -o t --models popularity --json -q",
        "update m d -o u --json -q",
        "forget d --user p02 m --json",
        "doctor --json",
        "models --json",
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        cJSON *json = json_of(all[i]);
        keys_check(json, manual, "", all[i]);
        cJSON_Delete(json);
    }
    free(manual);
    tdm_map_close(&m);
}

/* ---- what is answered ---- */

static void recommendations_are_new_ranked_and_sum_up(void **state)
{
    (void)state;
    cJSON *j = json_of("recommend m --user p01 -n 5 --json");
    const cJSON *r, *p, *list = of(j, "recommendations"), *history = of(j, "history");
    double last = INFINITY;
    CHECK(cJSON_GetArraySize(list) >= 3 && cJSON_GetArraySize(list) <= 5);
    CHECK(of(j, "history_length")->valuedouble == EACH && cJSON_GetArraySize(history) == EACH);
    cJSON_ArrayForEach(r, list)
    {
        double score = of(r, "score")->valuedouble, sum = 0;
        cJSON_ArrayForEach(p, of(r, "parts")) sum += p->valuedouble;
        CHECK(fabs(sum - score) < 1e-4 * (1 + fabs(score))); /* parts are floats, each rounded once */
        CHECK(score <= last);
        last = score;
        const cJSON *had;
        cJSON_ArrayForEach(had, history) CHECK(strcmp(tdm_json_str(had, "item", ""), tdm_json_str(r, "item", "")));
        CHECK(*tdm_json_str(r, "text", "") && cJSON_GetArraySize(of(r, "evidence")) > 0);
    }
    cJSON_Delete(j);
}

static void filters_are_obeyed(void **state)
{
    (void)state;
    cJSON *j = json_of("recommend m --history i03,i04:5 --category tools --exclude i11,i12 -n 100 --json");
    const cJSON *r;
    CHECK(cJSON_IsNull(of(j, "user")));
    CHECK(cJSON_GetArraySize(of(j, "recommendations")) == 8);
    cJSON_ArrayForEach(r, of(j, "recommendations"))
    {
        const char *id = tdm_json_str(r, "item", "");
        CHECK(strcmp(id, "i10") >= 0 && strcmp(id, "i11") && strcmp(id, "i12"));
    }
    if (!strstr(tdm_json_str(j, "note", ""), "8 of the 100")) fail_msg("note: %s", tdm_json_str(j, "note", ""));
    cJSON_Delete(j);
}

/* The items of a file do not come back, and what the model does not know of them is said once, beside the answer. */
static void a_file_of_items_is_left_out(void **state)
{
    (void)state;
    free(scratch_file("out.txt", "# tools\ni11\r\n\ni12\nx77\nx78\n"));
    cJSON *j = json_of("recommend m --history i03,i04:5 --category tools --exclude-file out.txt -n 100 --json");
    const cJSON *r;
    CHECK(cJSON_GetArraySize(of(j, "recommendations")) == 8 && strstr(tdm_json_str(j, "note", ""), "passes the filters"));
    cJSON_ArrayForEach(r, of(j, "recommendations"))
        CHECK(strcmp(tdm_json_str(r, "item", ""), "i11") && strcmp(tdm_json_str(r, "item", ""), "i12"));
    cJSON_Delete(j);
    said s = program_run("", "recommend m --all - --exclude-file out.txt -n 3");
    const char *warning = "warning: out.txt: 2 ids of items that m does not know were passed over\n", *at = strstr(s.err, warning);
    CHECK(s.status == 0 && at && !strstr(at + 1, "warning") && !strstr(s.out, "\"i11\"") && strstr(s.out, "\"i13\""));
    said_clear(&s);
    s = program_run("", "recommend m --user p01 --exclude-file out.txt -q");
    CHECK(s.status == 0 && !*s.err);
    said_clear(&s);
}

/* No sentence of an answer has a word of the list; titles, which are the catalogue's, stay. */
static void blocked_words_are_said_in_no_sentence(void **state)
{
    (void)state;
    free(scratch_file("words.txt", "# names\ngreen   TEA\n\nsimilar history\n"));
    free(scratch_file("bad.txt", "fine\nnot \xff fine\n"));
    static const char *const ask[] = {"recommend m --user p00 --json", "recommend m --user p00 --json --block words.txt"};
    size_t titles = 0, said_before = 0;
    for (int k = 0; k < 2; k++) {
        cJSON *j = json_of(ask[k]);
        const cJSON *r, *line;
        cJSON_ArrayForEach(r, of(j, "recommendations"))
        {
            const char *text = tdm_json_str(r, "text", "Green tea");
            titles += strstr(tdm_json_str(r, "title", ""), "Green tea") != NULL;
            bool found = strstr(text, "Green tea") || strstr(text, "similar history");
            cJSON_ArrayForEach(line, of(r, "evidence"))
                found = found || strstr(line->valuestring, "Green tea") || strstr(line->valuestring, "similar history");
            said_before += !k && found;
            CHECK(!k || (!found && *text));
        }
        cJSON_Delete(j);
    }
    CHECK(said_before > 2 && titles > 2);
    cJSON *j = json_of("explain m --user p00 --item i01 --block words.txt --json");
    CHECK(!strstr(tdm_json_str(j, "text", "Green tea"), "Green tea") && strstr(tdm_json_str(j, "title", ""), "Green tea"));
    cJSON_Delete(j);
}

/* How many lines a file of the scratch folder has, and its text, to be freed. */
static size_t lines_of(const char *name, char **text)
{
    char *path = scratch_file(name, NULL);
    tdm_map m;
    tdm_err err;
    size_t n = 0;
    CHECK_OK(tdm_map_open(&m, path, &err), err);
    *text = strndup((const char *)m.p, m.n);
    for (const char *c = *text; *c; c++) n += *c == '\n';
    tdm_map_close(&m);
    free(path);
    return n;
}

static void everybody_goes_to_a_file_or_to_standard_output(void **state)
{
    (void)state;
    char *csv, *lines;
    said s = program_run("", "recommend m --all all.csv -n 3 --category tea -j2");
    CHECK(s.status == 0 && strstr(s.out, "people                 40") && strstr(s.out, "all.csv"));
    CHECK(strstr(s.err, "recommend"));
    said_clear(&s);
    CHECK(lines_of("all.csv", &csv) <= 1 + 3 * PEOPLE && !strncmp(csv, "user,rank,item,score\np", 22));
    CHECK(!strstr(csv, ",i1") && strstr(csv, ",i0")); /* tea, no tools */
    free(csv);
    s = program_run("", "recommend m --all all.jsonl -q -j1");
    CHECK(s.status == 0 && !*s.err);
    said_clear(&s);
    CHECK(lines_of("all.jsonl", &lines) == PEOPLE);
    s = program_run("", "recommend m --all - -j2 --json");
    CHECK(s.status == 0 && !strcmp(s.out, lines)); /* the lines and nothing else */
    free(lines);
    said_clear(&s);
    const char *wrong[] = {"recommend m --all all.csv --explain", "recommend m --all all.csv --user p01",
                           "recommend m --all all.csv --history ''"};
    for (size_t i = 0; i < 3; i++) {
        s = program_run("", wrong[i]);
        CHECK(s.status == 2 && !*s.out && strstr(s.err, "--all"));
        said_clear(&s);
    }
    s = program_run("", "recommend m --all - | head -c 1"); /* a reader that has enough is no crash to report */
    CHECK(s.status == 0);
    said_clear(&s);
}

static void an_empty_history_gets_what_is_popular(void **state)
{
    (void)state;
    cJSON *j = json_of("recommend m --history '' --json");
    CHECK(strstr(tdm_json_str(j, "note", ""), "popular"));
    CHECK(!strcmp(tdm_json_str(j, "model", ""), "popularity"));
    cJSON_Delete(j);
}

static void refused(const char *arguments, const char *needle)
{
    said s = program_run("", arguments);
    if (s.status != 1 || *s.out || !strstr(s.err, needle))
        fail_msg("tandem %s: status %d\nout: %s\nerr: %s", arguments, s.status, s.out, s.err);
    said_clear(&s);
}

static void unknown_ids_are_answered_with_near_ones(void **state)
{
    (void)state;
    refused("recommend m --user p0l", "the nearest by spelling: p0");
    refused("recommend m --user somebody", "nor one spelled like it");
    refused("recommend m --history i03,j04", "i04");
    refused("recommend m --history i03:good", "a rating must be a number");
    refused("recommend m --user p01 --exclude x99", "x99");
    refused("recommend m --user p01 --exclude-file no.txt", "no.txt");
    refused("recommend m --all all.csv --exclude-file no.txt", "no.txt");
    refused("recommend m --user p01 --block no.txt", "no.txt");
    refused("explain m --user p01 --item i01 --block bad.txt", "bad.txt:2: this is not UTF-8");
    refused("recommend m --user p01 --category tols", "the nearest by spelling: Tools");
    refused("recommend m --user p01 --model ease", "there is popularity");
    refused("recommend m --all all.xml", "end it in .jsonl, .csv or .tsv");
    refused("recommend m --all all.csv --category tols", "the nearest by spelling: Tools");
    refused("similar m --item q", "q");
    refused("explain m --user p01 --item q", "q");
    refused("compare m m:ease", "ease");
}

static void like_is_near_like(void **state)
{
    (void)state;
    cJSON *j = json_of("similar m --item i03 -n 5 --json");
    const cJSON *r;
    CHECK(cJSON_GetArraySize(of(j, "similar")) == 5);
    cJSON_ArrayForEach(r, of(j, "similar")) CHECK(strcmp(tdm_json_str(r, "item", ""), "i10") < 0); /* tea, not tools */
    cJSON_Delete(j);
    j = json_of("similar m --user p02 -n 5 --json");
    cJSON_ArrayForEach(r, of(j, "similar"))
    {
        CHECK(strcmp(tdm_json_str(r, "user", ""), "p02"));
        CHECK((tdm_json_str(r, "user", "p0")[2] - '0') % 2 == 0); /* tea drinkers have even numbers */
    }
    cJSON_Delete(j);
}

static void text_says_the_same(void **state)
{
    (void)state;
    said s = program_run("", "recommend m --user p01 --explain -n 2");
    CHECK(s.status == 0 && strstr(s.out, "chose lately") && strstr(s.out, "  1.  ") && strstr(s.out, "      - "));
    said_clear(&s);
    s = program_run("", "explain m --model cooccurrence --user p01 --item i03"); /* tea for a toolmaker */
    CHECK(s.status == 0 && strstr(s.out, "no opinion") && !strstr(s.out, "nan") && !strstr(s.out, "inf"));
    said_clear(&s);
    s = program_run("", "compare m:hybrid m:popularity -q");
    CHECK(s.status == 0 && strstr(s.out, "m:hybrid") && strstr(s.out, "m:popularity"));
    said_clear(&s);
}

static void export_writes_what_was_read(void **state)
{
    (void)state;
    said s = program_run("", "export m --csv out-csv --sequences out.txt --recbole out-rb");
    CHECK(s.status == 0);
    said_clear(&s);
    cJSON *first = json_of("prepare reviews.csv --items items.jsonl -o e1 --json -q"),
          *again = json_of("prepare out-csv/interactions.csv --items out-csv/items.csv -o e2 --json -q");
    static const char *const keys[] = {"users",   "items",     "interactions", "items_with_title",
                                       "ratings", "time_span", "text_coverage"};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        if (!cJSON_Compare(of(first, keys[k]), of(again, keys[k]), true)) fail_msg("%s differs after export", keys[k]);
    cJSON_Delete(first);
    cJSON_Delete(again);
    char *path = scratch_file("out-rb/out-rb.inter", NULL);
    tdm_map m;
    tdm_err err;
    CHECK_OK(tdm_map_open(&m, path, &err), err);
    CHECK(!strncmp((const char *)m.p, "user_id:token\titem_id:token\trating:float\ttimestamp:float\n", 57));
    tdm_map_close(&m);
    free(path);
}

static int begin(void **state)
{
    (void)state;
    scratch_open();
    reviews_write();
    said s = program_run("", "fit reviews.csv --items items.jsonl -o m -q --split leave-one-out "
                             "--models popularity,user-knn,item-knn,cooccurrence,content,hybrid");
    if (s.status) fprintf(stderr, "%s", s.err);
    bool ok = s.status == 0 && strstr(s.out, "The report is m/report.html");
    said_clear(&s);
    return ok ? 0 : -1;
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
        cmocka_unit_test(every_key_is_documented),
        cmocka_unit_test(recommendations_are_new_ranked_and_sum_up),
        cmocka_unit_test(filters_are_obeyed),
        cmocka_unit_test(a_file_of_items_is_left_out),
        cmocka_unit_test(blocked_words_are_said_in_no_sentence),
        cmocka_unit_test(everybody_goes_to_a_file_or_to_standard_output),
        cmocka_unit_test(an_empty_history_gets_what_is_popular),
        cmocka_unit_test(unknown_ids_are_answered_with_near_ones),
        cmocka_unit_test(like_is_near_like),
        cmocka_unit_test(text_says_the_same),
        cmocka_unit_test(export_writes_what_was_read),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
