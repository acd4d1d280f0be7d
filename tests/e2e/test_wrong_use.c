/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong use and broken files: the exit status, one sentence that says what and where, and nothing left behind. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void verbs(void **state)
{
    (void)state;
    ran *r = tandem("");
    assert_int_equal(r->status, 2);
    CHECK(!*r->out && strstr(r->err, "usage: tandem VERB"));
    e2e_refused("nothing", 2, "no verb nothing", "--help", NULL);
    e2e_refused("recomend", 2, "did you mean recommend?", NULL);
    e2e_refused("fit --splt time", 2, "--splt", "did you mean --split?", NULL);
    e2e_refused("fit --zzzzzzzz", 2, "--zzzzzzzz", "tandem fit --help", NULL);
    e2e_refused("fit", 2, "SOURCE", NULL);
    e2e_refused("fit reviews.jsonl", 2, "-o FOLDER", NULL);
    e2e_refused("fit reviews.jsonl -o", 2, "-o needs a value", NULL);
    e2e_refused("fit reviews.jsonl -o x -j many", 2, "--threads", "many", NULL);
    e2e_refused("models too", 2, "too", NULL);
    e2e_refused("recommend x", 2, "--user", "--history", NULL);
    e2e_refused("recommend x --user a --history b", 2, "--user", NULL);
    e2e_refused("explain x --user a", 2, "--item", NULL);
    e2e_refused("similar x", 2, "--item", NULL);
    e2e_refused("export x", 2, "--csv", NULL);
    e2e_refused("export . --gguf x.gguf", 1, "holds no GPT-2 with words", NULL);
    r = tandem("fit --help");
    CHECK(!r->status && !*r->err && strstr(r->out, "--preset"));
}

static void values(void **state)
{
    (void)state;
    e2e_refused("fit reviews.jsonl -o x --split sideways", 1, "--split", "sideways", "leave-one-out", NULL);
    e2e_refused("fit reviews.jsonl -o x --preset slow", 1, "--preset", "slow", "quick", NULL);
    e2e_refused("fit reviews.jsonl -o x --set words", 1, "--set", "words", "model.parameter=value", NULL);
    e2e_refused("fit reviews.jsonl -o x --set nobody.k=3", 1, "nobody", "tandem models", NULL);
    e2e_refused("fit reviews.jsonl -o x --set gpt2-words.stps=3", 1, "stps", "steps", NULL);
    e2e_refused("fit reviews.jsonl -o x --set item-knn.k=many", 1, "many", NULL);
    e2e_refused("fit reviews.jsonl -o x --set item-knn.k=0", 1, "item-knn.k", NULL);
    e2e_refused("fit reviews.jsonl -o x --models item-kn", 1, "item-kn", "item-knn", NULL);
    e2e_refused("fit reviews.jsonl -o x --cutoffs 0", 1, "-k", NULL);
    CHECK(!e2e_exists("x")); /* every word is checked before the work begins */
}

static void forms(void **state)
{
    static const char open[] = "form: review\nwords: <|endoftext|>\nhistory: <|item|>{title}[ {rating}\n";
    static const char poem[] = "form: history\nwords: <|endoftext|>\nhistory: <|item|>{titel}<|end|>\n";
    static const char fine[] = "form: history\nwords: <|endoftext|>\nhistory: <|item|>{title}<|end|>\n";
    (void)state;
    e2e_write("open.txt", open, sizeof open - 1);
    e2e_write("poem.txt", poem, sizeof poem - 1);
    e2e_write("fine.txt", fine, sizeof fine - 1);
    e2e_write("fine2.txt", fine, sizeof fine - 1);
    e2e_refused("fit reviews.jsonl -o x --form none.txt", 1, "none.txt", NULL);
    e2e_refused("fit reviews.jsonl -o x --form open.txt", 1, "open.txt:3", "a [ is not closed", NULL);
    e2e_refused("fit reviews.jsonl -o x --form poem.txt", 1, "poem.txt:3", "{titel}", "{title}", NULL);
    e2e_refused("fit reviews.jsonl -o x --form fine.txt --form fine2.txt", 1, "fine.txt and fine2.txt", NULL);
    e2e_refused("fit reviews.jsonl -o x --form reviews.jsonl", 1, "bytes are no form", NULL);
    CHECK(!e2e_exists("x"));
}

static void broken_files(void **state)
{
    static const unsigned char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\2\3\4\5\6\7";
    static const char page[] = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n";
    static const char labels[] = "__label__2 Great CD: my lovely Pat\n__label__1 Batteries died: no use\n";
    /* The first bytes of a gzip file: its header and a block that never ends. */
    static const unsigned char cut[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0x56, 0x2a};
    static const char ids[] = "{\"asin\": \"I001\", \"title\": \"Green Soap\"}\n";
    (void)state;
    e2e_write("empty.json", "", 0);
    e2e_write("image.png", png, sizeof png - 1);
    e2e_write("page.html", page, sizeof page - 1);
    e2e_write("labels.txt", labels, sizeof labels - 1);
    e2e_write("cut.json.gz", cut, sizeof cut);
    e2e_write("only-items.json", ids, sizeof ids - 1);
    assert_int_equal(mkdir("folder", 0755), 0);
    e2e_refused("fit nowhere.json -o x", 1, "nowhere.json", "No such file", NULL);
    e2e_refused("fit empty.json -o x", 1, "empty.json", "empty file", "expected interactions", NULL);
    e2e_refused("fit folder -o x", 1, "folder", "expected a file", NULL);
    e2e_refused("fit image.png -o x", 1, "image.png", "PNG image", "expected interactions", NULL);
    e2e_refused("fit page.html -o x", 1, "page.html", "HTML page", "expected interactions", NULL);
    e2e_refused("fit labels.txt -o x", 1, "labels.txt", "no person", "expected interactions", NULL);
    e2e_refused("fit cut.json.gz -o x", 1, "cut.json.gz", "cut short", NULL);
    e2e_refused("fit only-items.json -o x", 1, "only-items.json", "expected interactions", NULL);
    e2e_refused("fit reviews.jsonl --items image.png -o x", 1, "image.png", "expected a list of items", NULL);
    e2e_refused("fit reviews.jsonl --items reviews.jsonl -o x", 1, "reviews.jsonl", "expected a list of items", NULL);
    e2e_refused("inspect nowhere", 1, "nowhere", NULL);
    e2e_refused("recommend nowhere --user P001", 1, "nowhere", "no such folder", NULL);
    e2e_refused("recommend folder --user P001", 1, "folder", NULL);
    CHECK(!e2e_exists("x"));
}

static void unknown_names(void **state)
{
    (void)state;
    e2e_fit("m", E2E_QUICK " --models popularity,item-knn,user-knn,content,hybrid");
    e2e_refused("recommend m --user P0003", 1, "P0003", "nearest", "P003", NULL);
    e2e_refused("recommend m --history I0003", 1, "I0003", "nearest", "I003", NULL);
    e2e_refused("recommend m --history I003:good", 1, "I003:good", "number", NULL);
    e2e_refused("recommend m --user P003 --exclude I0003", 1, "I0003", "nearest", NULL);
    e2e_refused("recommend m --user P003 --exclude-file nowhere.txt", 1, "nowhere.txt", NULL);
    e2e_refused("recommend m --user P003 --block nowhere.txt", 1, "nowhere.txt", NULL);
    e2e_refused("recommend m --all - --block nowhere.txt", 2, "--all", "--user", NULL); /* it shows no sentences */
    e2e_refused("recommend m --user P003 --diversity 2", 1, "--diversity", "0 to 1", NULL);
    e2e_refused("recommend m --user P003 --category Soup", 1, "Soup", "Soap", NULL);
    e2e_refused("recommend m --user P003 --model nobody", 1, "nobody", "item-knn", NULL);
    e2e_refused("explain m --user P003 --item I0003", 1, "I0003", "I003", NULL);
    e2e_refused("similar m --item I0003", 1, "I0003", "I003", NULL);
    e2e_refused("compare m nowhere", 1, "nowhere", NULL);
    e2e_refused("compare m:nobody m", 1, "nobody", NULL);
}

/* One byte of one file: the folder is refused and the file named, whichever it is. */
static void one_byte(void **state)
{
    static const char *const files[] = {"m/cf/item-knn.safetensors", "m/content.safetensors", "m/dataset.safetensors",
                                        "m/text.safetensors", "m/fusion.json"};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t n;
        char *bytes = e2e_read(files[i], &n);
        bytes[n / 2 + n / 4] ^= 1;
        e2e_write(files[i], bytes, n);
        e2e_refused("recommend m --user P003", 1, files[i], NULL);
        bytes[n / 2 + n / 4] ^= 1;
        e2e_write(files[i], bytes, n);
        free(bytes);
    }
    assert_int_equal(tandem("recommend m --user P003")->status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(verbs),         cmocka_unit_test(values),
                                       cmocka_unit_test(forms),         cmocka_unit_test(broken_files),
                                       cmocka_unit_test(unknown_names), cmocka_unit_test(one_byte)};
    return cmocka_run_group_tests(tests, e2e_begin, e2e_end);
}
