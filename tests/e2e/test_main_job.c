/* SPDX-License-Identifier: Apache-2.0 */
/* The main job: from a raw log to a folder, a report, and every question that can be asked of it. */
#include "run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cJSON *at(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    if (!v) fail_msg("the answer has no \"%s\"", key);
    return v;
}

static bool is(const cJSON *o, const char *key, const char *text)
{
    const cJSON *v = at(o, key);
    return cJSON_IsString(v) && !strcmp(v->valuestring, text);
}

static double number(const cJSON *o, const char *key)
{
    const cJSON *v = at(o, key);
    CHECK(cJSON_IsNumber(v) && isfinite(v->valuedouble));
    return v->valuedouble;
}

static void fit(void **state)
{
    static const char *const files[] = {"tandem.json",
                                        "dataset.json",
                                        "dataset.safetensors",
                                        "text.safetensors",
                                        "cf/popularity.safetensors",
                                        "cf/user-knn.safetensors",
                                        "cf/item-knn.safetensors",
                                        "cf/cooccurrence.safetensors",
                                        "content.safetensors",
                                        "gpt2-items/config.json",
                                        "gpt2-items/model.safetensors",
                                        "gpt2-items/items.json",
                                        "gpt2-words/config.json",
                                        "gpt2-words/model.safetensors",
                                        "gpt2-words/vocab.json",
                                        "gpt2-words/merges.txt",
                                        "gpt2-words/added_tokens.json",
                                        "gpt2-words/special_tokens_map.json",
                                        "gpt2-words/tokenizer_config.json",
                                        "gpt2-words/review.txt",
                                        "gpt2-words/history.txt",
                                        "fusion.json",
                                        "report.html",
                                        "report.json"};
    static const char *const gone[] = {"progress.json", "gpt2-items.checkpoint", "gpt2-words.checkpoint"};
    (void)state;
    ran *r = tandem("fit reviews.jsonl --items items.jsonl -o m " E2E_QUICK);
    if (r->status) fail_msg("status %d: %s", r->status, r->err);
    CHECK(strstr(r->out, "people judged on test") && strstr(r->out, "m/report.html"));
    char path[128];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "m/%s", files[i]);
        if (!e2e_exists(path)) fail_msg("%s is not there", path);
    }
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        snprintf(path, sizeof path, "m/%s", gone[i]);
        if (e2e_exists(path)) fail_msg("%s was left behind", path);
    }
}

/* The report opens without a network: no address is loaded from it. */
static void report(void **state)
{
    static const char *const loads[] = {"src=\"http", "src='http", "href=\"http", "href='http",
                                        "url(",       "@import",   "src=\"//"};
    (void)state;
    char *html = e2e_read("m/report.html", NULL);
    for (size_t i = 0; i < sizeof loads / sizeof *loads; i++)
        if (strstr(html, loads[i])) fail_msg("the report loads something: %.60s", strstr(html, loads[i]));
    CHECK(strstr(html, "<svg") && strstr(html, "hybrid") && strstr(html, "</html>"));
    CHECK(strstr(html, "How training went") && strstr(html, "gpt2-words, loss: "));
    free(html);
}

/* How the GPT-2s' training went is in the report: losses fall, in no more points than an eye can use. */
static void curves(void **state)
{
    static const char *const models[] = {"gpt2-items", "gpt2-words"};
    (void)state;
    cJSON *o = e2e_json(tandem("evaluate m --json"));
    for (size_t i = 0; i < 2; i++) {
        const cJSON *all = at(at(at(o, "training"), models[i]), "curves"), *loss = at(all, "loss"), *c;
        cJSON_ArrayForEach(c, all)
        {
            int n = cJSON_GetArraySize(at(c, "value"));
            CHECK(n > 0 && n <= 200 && cJSON_GetArraySize(at(c, "step")) == n);
        }
        const cJSON *v = at(loss, "value");
        int n = cJSON_GetArraySize(v);
        CHECK(n > 2 && cJSON_GetArrayItem(v, n - 1)->valuedouble < cJSON_GetArrayItem(v, 0)->valuedouble);
    }
    CHECK(!cJSON_GetObjectItem(at(at(o, "training"), "item-knn"), "curves"));
    at(at(at(at(o, "training"), "gpt2-items"), "curves"), "ndcg@10");
    cJSON_Delete(o);
    ran *r = tandem("train m -o m " E2E_QUICK); /* all is trained: it says what the training was like */
    if (r->status) fail_msg("status %d: %s", r->status, r->err);
    CHECK(strstr(r->out, " at first, ") && strstr(r->out, " in the end\n"));
    for (const char *line = r->out; *line; line += strcspn(line, "\n") + 1) CHECK(strcspn(line, "\n") < 80);
}

/* Sentences beside what people wrote themselves: three kinds of text for the same people, in the terminal too. */
static void sentences(void **state)
{
    static const char *const kinds[] = {"generated", "central", "evidence"};
    (void)state;
    cJSON *o = e2e_json(tandem("evaluate m --text --json"));
    const cJSON *text = at(o, "text"), *counts = at(text, "counts"), *m;
    double people = number(text, "people");
    CHECK(people > 5 && number(counts, "gpt2") + number(counts, "evidence") == people);
    for (size_t i = 0; i < 3; i++) {
        const cJSON *s = at(at(text, "texts"), kinds[i]);
        assert_int_equal(cJSON_GetArraySize(s), 11);
        cJSON_ArrayForEach(m, s) CHECK(m->valuedouble >= 0 && (m->valuedouble <= 1 || !strcmp(m->string, "diversity")));
        CHECK(number(s, "usr") > 0 && number(s, "distinct@1") > 0);
    }
    CHECK(number(at(at(text, "texts"), tdm_json_str(text, "best", "")), "rouge@l") > 0);
    const cJSON *p = at(text, "perplexity"); /* of one list of tokens, by three models */
    if (!(number(p, "reviews") > people / 2 && number(p, "tokens") >= 2 * number(p, "reviews")))
        fail_msg("%.0f reviews and %.0f tokens of %.0f people", number(p, "reviews"), number(p, "tokens"), people);
    CHECK(number(p, "gpt2") > 1 && number(p, "gpt2_other_prompt") > 1 && number(p, "kneser_ney") > 1);
    CHECK(number(p, "kneser_ney_order") == 5 && number(p, "kneser_ney_tokens") > number(p, "tokens"));
    char shown[16];
    snprintf(shown, sizeof shown, "%s", tdm_json_str(text, "shown", ""));
    cJSON_Delete(o);
    char *words =
        e2e_read("m/gpt2-words/words.json", NULL); /* training chose whose sentence stands, and says by what */
    o = cJSON_Parse(words);
    free(words);
    const cJSON *choice = at(o, "sentence");
    double gpt2 = number(at(choice, "rouge@l"), "gpt2"), review = number(at(choice, "rouge@l"), "review");
    CHECK(number(choice, "people") > 5 && is(choice, "stands", review > gpt2 ? "review" : "gpt2"));
    assert_string_equal(shown, review > gpt2 ? "central" : "generated");
    cJSON_Delete(o);
    ran *r = tandem("evaluate m --text");
    CHECK(!r->status && strstr(r->out, "beside what they wrote themselves") &&
          strstr(r->out, "by rouge@l the best are: ") && strstr(r->out, "held-out reviews: GPT-2 "));
    char *html = e2e_read("m/report.html", NULL);
    CHECK(strstr(html, "<h2>The sentences</h2>") && strstr(html, "Kneser-Ney smoothing"));
    free(html);
}

/* Whoever asks may have another's sentence than the one that training chose; where it is from is said. */
static void whose_sentence(void **state)
{
    (void)state;
    cJSON *o = e2e_json(tandem("explain m --user P003 --item I000 --sentence review --json"));
    char whole[400], *from;
    CHECK(is(o, "text_source", "review") && *at(o, "quote")->valuestring);
    snprintf(whole, sizeof whole, "Somebody who chose it wrote: \"%s\"", at(o, "quote")->valuestring);
    from = strstr(at(o, "text")->valuestring, "Somebody ");
    assert_non_null(from);
    assert_string_equal(from, whole);
    CHECK(!strncmp(at(o, "text")->valuestring, "Because you ", 12)); /* before it stands what led to the item */
    CHECK(cJSON_GetArraySize(at(o, "evidence")) > 0);
    cJSON_Delete(o);
    o = e2e_json(tandem("explain m --user P003 --item I000 --sentence evidence --json"));
    CHECK(is(o, "text_source", "evidence") && !cJSON_GetObjectItem(o, "quote"));
    cJSON_Delete(o);
    o = e2e_json(tandem("explain m --user P003 --item I000 --sentence gpt2 --json"));
    CHECK(is(o, "text_source", "gpt2") || is(o, "text_source", "evidence"));
    cJSON_Delete(o);
    ran *r = tandem("explain m --user P003 --item I000 --sentence everybody");
    CHECK(r->status == 1 && strstr(r->err, "--sentence takes gpt2, review or evidence, not \"everybody\""));
    r = tandem("recommend m --all all.jsonl --sentence gpt2");
    CHECK(r->status == 2 && !e2e_exists("all.jsonl"));
}

static void evaluation(void **state)
{
    static const char *const metrics[] = {"recall@10", "ndcg@10", "rmse"};
    (void)state;
    cJSON *o = e2e_json(tandem("evaluate m --json"));
    const cJSON *data = at(o, "dataset"), *hybrid = at(at(o, "models"), "hybrid"), *c;
    CHECK(number(data, "users") == 90 && number(data, "items") == 45 && number(data, "interactions") > 600);
    CHECK(is(o, "split", "time") && is(o, "ties", "file") && is(o, "seen", "filter") && number(o, "people") > 10);
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        const cJSON *m = at(hybrid, metrics[i]);
        CHECK(number(m, "low") <= number(m, "value") && number(m, "value") <= number(m, "high"));
    }
    CHECK(cJSON_GetArraySize(at(o, "comparisons")) > 0);
    cJSON_ArrayForEach(c, at(o, "comparisons"))
    {
        CHECK(cJSON_IsString(at(c, "a")) && cJSON_IsString(at(c, "b")) && cJSON_IsString(at(c, "metric")));
        CHECK(number(c, "low") <= number(c, "difference") && number(c, "difference") <= number(c, "high"));
        CHECK(number(c, "p") >= 0 && number(c, "p") <= 1);
    }
    at(o, "slices");
    CHECK(number(at(o, "one_click"), "people") <= number(o, "people") && !cJSON_GetObjectItem(o, "chance"));
    at(at(at(o, "one_click"), "models"), "hybrid");
    /* The log is made so that what follows what can be learned; chance is about 10 of 45 items. */
    CHECK(number(at(hybrid, "recall@10"), "value") > 0.5);
    cJSON_Delete(o);
}

/* The hybrid without GPT-2 is, figure by figure, the hybrid of a folder that never had it. */
static void what_a_missing_part_costs(void **state)
{
    static const char *const all[] = {"without GPT-2", "without CF", "without content"};
    (void)state;
    cJSON *o = e2e_json(tandem("evaluate m --json")), *other;
    const cJSON *ablation = at(o, "ablation"), *whole = at(ablation, "whole"), *m;
    CHECK(number(ablation, "people") == number(o, "people") && number(ablation, "labels") > 10);
    CHECK(number(at(whole, "ndcg@10"), "value") == number(at(at(at(o, "models"), "hybrid"), "ndcg@10"), "value"));
    tdm_buf command = {0};
    tdm_buf_str(&command, "train d -o rest " E2E_QUICK " --models ");
    cJSON_ArrayForEach(m, at(o, "models")) if (strncmp(m->string, "gpt2-", 5))
        tdm_buf_fmt(&command, "%s%s", strstr(command.p, "--models ")[9] ? "," : "", m->string);
    char *html = e2e_read("m/report.html", NULL), text[64];
    CHECK(strstr(html, "<h2>What if a part were missing?</h2>") && strstr(html, "<h2>Whose opinion counts</h2>"));
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const cJSON *w = at(at(ablation, "without"), all[i]), *c = at(at(w, "change"), "ndcg@10");
        double lost = number(at(w, "ndcg@10"), "value") - number(at(whole, "ndcg@10"), "value");
        CHECK(fabs(number(c, "difference") - lost) < 1e-12 && cJSON_GetArraySize(at(w, "lacks")) > 0);
        CHECK(number(c, "low") <= lost && lost <= number(c, "high") && number(c, "p") >= number(c, "p_uncorrected"));
        snprintf(text, sizeof text, "<th scope=\"row\">%s</th><td>%.4f</td>", all[i],
                 number(at(w, "ndcg@10"), "value"));
        CHECK(strstr(html, text));
        cJSON_ArrayForEach(m, at(w, "lacks"))
            CHECK(!strncmp(m->valuestring, "gpt2-", 5) == !i && !strcmp(m->valuestring, "content") == (i == 2));
    }
    free(html);
    cJSON_Delete(e2e_json(tandem("prepare reviews.jsonl --items items.jsonl -o d --json")));
    if (tandem(command.p)->status) fail_msg("%s failed", command.p);
    tdm_buf_clear(&command);
    other = e2e_json(tandem("evaluate rest --json"));
    CHECK(number(at(at(at(ablation, "without"), "without GPT-2"), "ndcg@10"), "value") ==
          number(at(at(at(other, "models"), "hybrid"), "ndcg@10"), "value"));
    CHECK(!cJSON_GetObjectItem(at(at(other, "ablation"), "without"), "without GPT-2"));
    cJSON_Delete(other);
    cJSON_Delete(o);
    o = e2e_json(tandem("evaluate m --newest 1 --json"));
    CHECK(!cJSON_GetObjectItem(o, "ablation") && at(o, "influence"));
    cJSON_Delete(o);
    CHECK(strstr(tandem("evaluate m")->out, "\nwithout CF "));
}

/* The folder's report answers one question: any other leaves its bytes alone, and is written where it is told to go. */
static void the_folders_report_is_of_one_question(void **state)
{
    static const char *const others[] = {"--newest 1", "--diversity 0.3", "--on validation"};
    (void)state;
    CHECK(!tandem("evaluate m")->status);
    size_t n, m;
    char *json = e2e_read("m/report.json", NULL), *html = e2e_read("m/report.html", &n);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char command[96];
        snprintf(command, sizeof command, "evaluate m %s --report other%zu.html", others[i], i);
        CHECK(!tandem(command)->status);
        char *json_now = e2e_read("m/report.json", NULL), *html_now = e2e_read("m/report.html", &m);
        if (strcmp(json, json_now) || n != m || memcmp(html, html_now, n))
            fail_msg("%s changed the report of the folder", others[i]);
        free(json_now);
        free(html_now);
        snprintf(command, sizeof command, "other%zu.html", i);
        char *page = e2e_read(command, &m);
        CHECK(strstr(page, "</html>") && (m != n || memcmp(page, html, n)));
        free(page);
    }
    CHECK(!tandem("evaluate m --on test --diversity 0 -k 3 --report three.html")->status);
    char *json_now = e2e_read("m/report.json", NULL), *html_now = e2e_read("m/report.html", &m);
    CHECK(strcmp(json, json_now) && strstr(json_now, "ndcg@3")); /* other lengths of the lists are the same question */
    CHECK(n == m && !memcmp(html, html_now, n) && e2e_exists("three.html"));
    free(json);
    free(html);
    free(json_now);
    free(html_now);
    CHECK(!tandem("evaluate m")->status);
}

static void recommend(void **state)
{
    const cJSON *rec, *part;
    (void)state;
    cJSON *o = e2e_json(tandem("recommend m --user P003 -n 4 --json"));
    CHECK(is(o, "user", "P003") && cJSON_GetArraySize(at(o, "recommendations")) == 4);
    double before = INFINITY;
    cJSON_ArrayForEach(rec, at(o, "recommendations"))
    {
        double sum = 0, shares = number(rec, "rest"), score = number(rec, "score");
        CHECK(strstr(at(rec, "title")->valuestring, " "));
        cJSON_ArrayForEach(part, at(rec, "parts")) sum += part->valuedouble;
        CHECK(fabs(sum - score) <=
              1e-4 * fmax(1, fabs(score))); /* parts and score are floats, added in another order */
        cJSON_ArrayForEach(part, at(rec, "because")) shares += number(part, "share");
        CHECK(fabs(shares - 1) <= 1e-4);
        cJSON_ArrayForEach(part, at(rec, "neighbours"))
            CHECK(number(part, "similarity") > 0 && !is(part, "user", "P003"));
        CHECK(cJSON_GetArraySize(at(rec, "evidence")) > 0 && *at(rec, "text")->valuestring);
        CHECK(is(rec, "text_source", "gpt2") || is(rec, "text_source", "review") || is(rec, "text_source", "evidence"));
        cJSON_ArrayForEach(part, at(o, "history")) CHECK(!is(rec, "item", at(part, "item")->valuestring));
        CHECK(score <= before);
        before = score;
    }
    /* What was first is first no more once it is not wanted; the second takes its place. */
    char first[32], second[32], command[128];
    snprintf(first, sizeof first, "%s", at(cJSON_GetArrayItem(at(o, "recommendations"), 0), "item")->valuestring);
    snprintf(second, sizeof second, "%s", at(cJSON_GetArrayItem(at(o, "recommendations"), 1), "item")->valuestring);
    cJSON_Delete(o);
    snprintf(command, sizeof command, "recommend m --user P003 -n 1 --json --exclude %s", first);
    o = e2e_json(tandem(command));
    CHECK(is(cJSON_GetArrayItem(at(o, "recommendations"), 0), "item", second));
    cJSON_Delete(o);

    cJSON *plain = e2e_json(tandem("recommend m --user P003 -n 5 --json --diversity 0"));
    cJSON *spread = e2e_json(tandem("recommend m --user P003 -n 5 --json --diversity 0.7"));
    const cJSON *a = cJSON_GetObjectItem(plain, "recommendations"), *b = cJSON_GetObjectItem(spread, "recommendations");
    CHECK(cJSON_GetArraySize(a) == 5 && cJSON_GetArraySize(b) == 5);
    CHECK(cJSON_Compare(cJSON_GetArrayItem(a, 0), cJSON_GetArrayItem(b, 0), true) && !cJSON_Compare(a, b, true));
    cJSON_Delete(plain);
    cJSON_Delete(spread);
    o = e2e_json(tandem("recommend m --history I000,I003:5 -n 5 --category Tea --json"));
    CHECK(cJSON_IsNull(at(o, "user")) && cJSON_GetArraySize(at(o, "recommendations")) == 5);
    cJSON_ArrayForEach(rec, at(o, "recommendations")) CHECK(strstr(at(rec, "title")->valuestring, "Tea"));
    cJSON_Delete(o);

    ran *r = tandem("recommend m --user P003 -n 2 --explain");
    CHECK(!r->status && strstr(r->out, "  1.  ") && strstr(r->out, "  2.  ") && !strstr(r->out, "  3.  "));
    CHECK(strstr(r->out, "score ") && strstr(r->out, "gpt2-items"));
    r = tandem("recommend m --user P003 --model item-knn -n 3");
    CHECK(!r->status && strstr(r->out, "  3.  "));
}

/* A newcomer gets what is popular, and is told so. */
static void newcomer(void **state)
{
    (void)state;
    ran *r = tandem("recommend m --history '' -n 3");
    CHECK(!r->status && strstr(r->out, "the history is empty") && strstr(r->out, "popular"));
    char *popular = strdup(strstr(r->out, "  1.  "));
    r = tandem("recommend m --history '' -n 3 --model popularity");
    CHECK(strstr(r->out, "  1.  ") && !strncmp(strstr(r->out, "  1.  "), popular, 20));
    free(popular);
}

static void other_questions(void **state)
{
    (void)state;
    cJSON *o = e2e_json(tandem("explain m --user P003 --item I004 --json"));
    CHECK(is(o, "item", "I004") && is(o, "user", "P003") && cJSON_GetArraySize(at(o, "evidence")) > 0);
    CHECK(*at(o, "text")->valuestring && fabs(number(o, "score")) > 0);
    cJSON_Delete(o);
    ran *r = tandem("similar m --item I003 -n 3");
    CHECK(!r->status && strstr(r->out, "Soap") && !strstr(r->out, "I003 "));
    r = tandem("similar m --user P003 -n 3");
    CHECK(!r->status && strstr(r->out, "P0") && !strstr(r->out, "P003"));
    r = tandem("compare m m:content");
    CHECK(!r->status && strstr(r->out, "m:hybrid minus m:content"));
    r = tandem("inspect m");
    CHECK(!r->status && strstr(r->out, "model folder") && strstr(r->out, "rows read"));
    r = tandem("inspect reviews.jsonl");
    CHECK(!r->status && strstr(r->out, "JSON lines") && strstr(r->out, "reviewerID"));
    r = tandem("inspect m/content.safetensors");
    CHECK(!r->status && strstr(r->out, "safetensors") && strstr(r->out, "vectors"));
    r = tandem("doctor");
    CHECK(!r->status && strstr(r->out, "kernels") && strstr(r->out, "onednn"));
    r = tandem("models");
    CHECK(!r->status && strstr(r->out, "gpt2-items") && strstr(r->out, "hybrid"));
    r = tandem("--version");
    CHECK(!r->status && !strncmp(r->out, "tandem ", 7));
}

/* The three verbs that fit joins give the same folder. */
static void by_steps(void **state)
{
    (void)state;
    cJSON *o = e2e_json(tandem("prepare reviews.jsonl --items items.jsonl -o d --json"));
    CHECK(number(o, "users") == 90 && number(o, "items") == 45);
    CHECK(number(o, "rows_read") == number(o, "interactions") + number(o, "duplicates"));
    cJSON_Delete(o);
    assert_int_equal(tandem("inspect d")->status, 0);
    ran *r = tandem("train d -o steps " E2E_QUICK);
    if (r->status) fail_msg("status %d: %s", r->status, r->err);
    assert_int_equal(tandem("evaluate steps --trec trec --per-person people.csv")->status, 0);
    CHECK(e2e_exists("trec") && e2e_exists("people.csv"));
    e2e_same_model("m", "steps");
}

/* A model folder has the form that it was trained in, and another form is another training. */
static void own_form(void **state)
{
#define TRAIN "train d -o formed --models gpt2-words --set gpt2-words.steps=3 -v"
    size_t n, was;
    (void)state;
    assert_int_equal(tandem(TRAIN)->status, 0);
    char *form = e2e_read("formed/gpt2-words/review.txt", &was), *rating = strstr(form, "[ {rating}]");
    assert_non_null(rating);
    memcpy(rating, "[ {brand}] ", 11); /* in the line of the history, which has no use for a blank at its end */
    e2e_write("mine.txt", form, was);
    ran *r = tandem(TRAIN " --form mine.txt");
    CHECK(!r->status && !strstr(r->err, "already trained"));
    char *kept = e2e_read("formed/gpt2-words/review.txt", &n);
    CHECK(n == was && !memcmp(kept, form, n));
    r = tandem(TRAIN " --form mine.txt");
    CHECK(!r->status && strstr(r->err, "already trained"));
    r = tandem(TRAIN " --form formed/gpt2-words/review.txt --form formed/gpt2-words/history.txt");
    CHECK(!r->status && strstr(r->err, "already trained"));
    assert_int_equal(tandem("explain formed --user P001 --item I003 --model gpt2-words")->status, 0);
    free(form);
    free(kept);
#undef TRAIN
}

/* What goes out comes in again: the same people, items and interactions. */
static void exported(void **state)
{
    (void)state;
    assert_int_equal(tandem("export m --csv csv --recbole recbole --sequences sequences.txt")->status, 0);
    assert_int_equal(tandem("export m --gguf words.gguf")->status, 0);
    assert_int_equal(tandem("export m/gpt2-words --gguf same.gguf")->status, 0);
    CHECK(e2e_exists("words.gguf") && e2e_exists("same.gguf"));
    cJSON *raw = e2e_json(tandem("prepare reviews.jsonl --items items.jsonl -o back0 --json"));
    static const char *const again[] = {"prepare csv/interactions.csv --items csv/items.csv -o back1 --json",
                                        "prepare sequences.txt --items items.jsonl -o back2 --json",
                                        "prepare recbole/recbole.inter --items recbole/recbole.item -o back3 --json"};
    for (size_t i = 0; i < sizeof again / sizeof *again; i++) {
        cJSON *o = e2e_json(tandem(again[i]));
        static const char *const counts[] = {"users", "items", "interactions", "items_with_title"};
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
            if (number(o, counts[k]) != number(raw, counts[k]))
                fail_msg("%s: %g %s, and were %g", again[i], number(o, counts[k]), counts[k], number(raw, counts[k]));
        cJSON_Delete(o);
    }
    cJSON_Delete(raw);
    assert_int_equal(tandem("fit sequences.txt --items items.jsonl --split cold-items -o cold --models "
                            "popularity,content,gpt2-items --set gpt2-items.epochs=1 --set gpt2-items.updates=0")
                         ->status,
                     0);
    e2e_refused("evaluate cold --text", 1, "nothing in it writes sentences", "train gpt2-words", NULL);
    cJSON *cold = e2e_json(tandem("evaluate cold --newest 1 --json"));
    CHECK(number(cold, "candidates") < number(cJSON_GetObjectItem(cold, "dataset"), "items") / 5);
    CHECK(number(cold, "newest") == 1 && !cJSON_GetObjectItem(cold, "one_click"));
    CHECK(number(at(at(cold, "models"), "content"), "times_chance") > 0 && number(at(cold, "chance"), "recall@10") > 0);
    cJSON_Delete(cold);
    ran *r =
        tandem("fit sequences.txt --items items.jsonl --split leave-one-out -o s --models popularity,item-knn,hybrid");
    if (r->status) fail_msg("status %d: %s", r->status, r->err);
}

static void demo(void **state)
{
    (void)state;
    ran *r = tandem("demo shown " E2E_QUICK);
    if (r->status) fail_msg("status %d: %s", r->status, r->err);
    CHECK(strstr(r->out, "recommended to ") && strstr(r->out, "  1.  ") && strstr(r->out, "shown/model/report.html"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fit),
                                       cmocka_unit_test(report),
                                       cmocka_unit_test(curves),
                                       cmocka_unit_test(evaluation),
                                       cmocka_unit_test(whose_sentence),
                                       cmocka_unit_test(sentences),
                                       cmocka_unit_test(what_a_missing_part_costs),
                                       cmocka_unit_test(the_folders_report_is_of_one_question),
                                       cmocka_unit_test(recommend),
                                       cmocka_unit_test(newcomer),
                                       cmocka_unit_test(other_questions),
                                       cmocka_unit_test(by_steps),
                                       cmocka_unit_test(own_form),
                                       cmocka_unit_test(exported),
                                       cmocka_unit_test(demo)};
    return cmocka_run_group_tests(tests, e2e_begin, e2e_end);
}
