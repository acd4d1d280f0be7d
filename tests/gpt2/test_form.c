/* SPDX-License-Identifier: Apache-2.0 */
/* test_form.c - forms: what is refused and in which words, that the form which comes with the program gives the
 * documents it always gave, and that another one is trained, asked and saved. */
#include "check.h"

#include "base/file.h"
#include "base/mem.h"
#include "gpt2/words_parts.h"
#include "words_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START "form: review\nwords: <|endoftext|>\n"
#define HISTORY "history: <|item|>{title}<|end|>\n"
#define ITEM "item: <|item|>{title}<|end|>\n"
#define ANSWER "answer: <|review|>{review}<|endoftext|>\n"

/* ---- reading ---- */

static void forms_that_are_none_are_refused_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *where, *what;
    } wrong[] = {
        {"", "f: ", "there is no form in it"},
        {"# nothing\n\n", "f: ", "there is no form in it"},
        {"words: x", "f:1: ", "begins with the line \"form: review\""},
        {"form: poem", "f:1: ", "begins with the line \"form: review\""},
        {"form: review", "f:1: ", "begins with the line \"words: <|endoftext|>\""},
        {"form: review\nwords: <|item|>", "f:2: ", "begins with the line \"words: <|endoftext|>\""},
        {START "# x\nhistroy: {title}", "f:4: ", "not \"histroy: {title}\""},
        {START "history {title}", "f:3: ", "a line begins with words:"},
        {START HISTORY HISTORY, "f:4: ", "a line of history already"},
        {START "history:", "f:3: ", "nothing stands behind history:"},
        {START "history: {titel}", "f:3: ", "no placeholder {titel}; it may have {title}, {rating}, {later}"},
        {START "words: {title}", "f:3: ", "a line of words has no placeholder {title}; it may have {space}"},
        {START "history: {title", "f:3: ", "a { has no }"},
        {START "history: title}", "f:3: ", "a } has no {"},
        {START "history: {title}[ {rating}", "f:3: ", "a [ is not closed"},
        {START "history: {title}] {rating}", "f:3: ", "a ] has no ["},
        {START "history: [a [{title}]]", "f:3: ", "inside of [ ]"},
        {START "history: {title}[ and]", "f:3: ", "could never be left out"},
        {START "history: <|title|>", "f:3: ", "there is no mark \"<|title|>\""},
        {START "history: <|", "f:3: ", "there is no mark \"<|\""},
        {START "history: {title}\x01", "f:3: ", "a control character"},
        {START "history: {title}\xff", "f:3: ", "not UTF-8"},
        {START HISTORY ANSWER, "f:4: ", "there is no line of item"},
        {START ITEM ANSWER, "f:4: ", "there is no line of history"},
        {START ITEM HISTORY ANSWER, "f:4: ", "the history stands behind the item"},
        {START HISTORY ITEM, "f:4: ", "has no answer"},
        {START HISTORY ITEM ANSWER "words: x", "f:6: ", "the answer is the last line"},
        {START HISTORY "item: {title}<|end|>\n" ANSWER, "f:4: ", "must hold {title} once"},
        {START HISTORY "item: <|item|> {title}<|end|>\n" ANSWER, "f:4: ", "must hold {title} once"},
        {START HISTORY "item: <|item|>{title}\n" ANSWER, "f:4: ", "must hold {title} once"},
        {START HISTORY "item: [<|item|>{title}<|end|>]\n" ANSWER, "f:4: ", "must hold {title} once"},
        {START HISTORY "item: <|item|>{title}<|end|>{title}\n" ANSWER, "f:4: ", "must hold {title} once"},
        {START HISTORY ITEM "answer: <|endoftext|>", "f:5: ", "an answer is <|summary|>{summary}"},
        {START HISTORY ITEM "answer: <|review|>{review}", "f:5: ", "an answer is"},
        {START HISTORY ITEM "answer: <|review|>{summary}<|endoftext|>", "f:5: ", "an answer is"},
        {START HISTORY ITEM "answer: So: <|review|>{review}<|endoftext|>", "f:5: ", "an answer is"},
        {START HISTORY ITEM "words: <|endoftext|>\n" ANSWER, "f:5: ", "<|endoftext|> begins a document"},
        {START HISTORY ITEM "others: <|summary|>{summary}\n" ANSWER, "f:5: ", "the answer's marks"},
        {"form: history\nwords: <|endoftext|>\nitem: x", "f:3: ", "has words: and history: lines"},
        {"form: history\nwords: <|endoftext|>\nhistory: {title}", "f:3: ", "must hold {title} once"},
        {"form: history\nwords: <|endoftext|>\n" HISTORY "words: x", "f:3: ", "the history is the last line"},
    };
    tdm_form *f = tdm_new(1, sizeof *f);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        tdm_err e = {{0}};
        tdm_status st = tdm_form_parse(f, "f", tdm_str_of(wrong[i].text), &e);
        if (st != TDM_E_FORMAT || strncmp(e.msg, wrong[i].where, strlen(wrong[i].where)) ||
            !strstr(e.msg, wrong[i].what))
            fail_msg("%zu: wanted \"%s…%s\", got %d \"%s\"", i, wrong[i].where, wrong[i].what, st, e.msg);
    }
    tdm_free(f);
}

static void too_long_is_refused(void **state)
{
    (void)state;
    tdm_form *f = tdm_new(1, sizeof *f);
    tdm_buf b = {0};
    tdm_err e;
    tdm_buf_str(&b, START);
    while (b.n <= TDM_FORM_BYTES) tdm_buf_str(&b, "# a word more\n");
    CHECK(tdm_form_parse(f, "f", (tdm_str){b.p, b.n}, &e) == TDM_E_FORMAT && strstr(e.msg, "at most 4096"));
    tdm_buf_reset(&b);
    tdm_buf_str(&b, START "history: ");
    for (size_t i = 0; i < TDM_FORM_PIECES; i++) tdm_buf_str(&b, "<|others|>");
    CHECK(tdm_form_parse(f, "f", (tdm_str){b.p, b.n}, &e) == TDM_E_FORMAT && strstr(e.msg, "more than 128 marks"));
    tdm_buf_reset(&b);
    tdm_buf_str(&b, START);
    for (size_t i = 0; i < TDM_FORM_LINES; i++) tdm_buf_str(&b, "words: x\n");
    CHECK(tdm_form_parse(f, "f", (tdm_str){b.p, b.n}, &e) == TDM_E_FORMAT && strstr(e.msg, "more than 32 lines"));
    tdm_buf_clear(&b);
    tdm_free(f);
}

/* Comments, blanks, the ends of lines and a byte order mark make no difference. */
static void how_it_is_laid_out_makes_no_difference(void **state)
{
    (void)state;
    static const char text[] = "\xef\xbb\xbf# mine\r\n  form :review \r\n\twords:<|endoftext|>\r\n\r\n" HISTORY ITEM
                               "others:   {summary}{newline}{rating} \r\n" ANSWER;
    tdm_form *f = tdm_new(1, sizeof *f);
    tdm_err e;
    CHECK_OK(tdm_form_parse(f, "f", tdm_str_of(text), &e), e);
    CHECK(f->kind == TDM_FORM_REVIEW && f->parts == 5 && f->history == 1 && f->asked == 2 && f->review && !f->summary);
    CHECK(f->piece[f->title].kind == TDM_PIECE_FIELD && f->piece[f->title].which == TDM_FIELD_title);
    const tdm_form_piece *p = &f->piece[f->part[3].from];
    CHECK(f->part[3].to - f->part[3].from == 3 && p[0].which == TDM_FIELD_summary && p[2].which == TDM_FIELD_rating);
    CHECK(p[1].kind == TDM_PIECE_TEXT && p[1].n == 1 && f->plain[p[1].at] == '\n' && !p[2].blank);
    CHECK(f->source_n == strlen(text) && !memcmp(f->source, text, f->source_n));
    tdm_free(f);
}

/* ---- the forms that come with the program ---- */

static uint64_t fold(uint64_t h, const void *bytes, size_t n)
{
    const uint8_t *b = bytes;
    for (size_t i = 0; i < n; i++) h = (h ^ b[i]) * 0x100000001b3u;
    return h;
}

/* All documents of a world, tokens, weights and borders (FNV-1a). */
static uint64_t documents_hash(const tdm_docs *docs, const tdm_docs *held)
{
    const tdm_docs *const of[] = {docs, held};
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t k = 0; k < 2; k++) {
        h = fold(h, of[k]->all.token.at, of[k]->all.token.n * sizeof *of[k]->all.token.at);
        h = fold(h, of[k]->all.weight, of[k]->all.token.n * sizeof *of[k]->all.weight);
        h = fold(h, of[k]->start, (of[k]->n + 1) * sizeof *of[k]->start);
    }
    return h;
}

/* A document with the names of its marks. */
static void document_text(tdm_buf *out, const tdm_words *w, const tdm_docs *docs, size_t q)
{
    tdm_buf_reset(out);
    for (size_t i = docs->start[q]; i < docs->start[q + 1]; i++) {
        uint32_t token = docs->all.token.at[i];
        if (tdm_bpe_is_special(w->b, token)) CHECK(tdm_bpe_written(w->b, token, out));
        else tdm_bpe_decode(w->b, out, &token, 1);
    }
}

typedef struct world {
    tdm_dataset *d;
    tdm_strings titles; /* as they were */
    tdm_buf bytes;
    int64_t offset[WORLD_KINDS * WORLD_ITEMS + 1];
    tdm_run *run;
    tdm_model *m;
    tdm_docs docs, held;
    tdm_forms *forms;
} world;

static const tdm_words *parts(const world *x) { return (const tdm_words *)x->m; }

/* With `form`, titles of gloves hold signs of one too; marks are in a title of the world's own. */
static void titles_spoil(world *x)
{
    x->titles = x->d->title;
    for (size_t i = 0; i < x->d->I; i++) {
        tdm_str title = tdm_strings_at(&x->titles, i);
        if (tdm_str_is(title, "Work gloves")) tdm_buf_str(&x->bytes, "Work {review} [gloves");
        else tdm_buf_add(&x->bytes, title.p, title.n);
        x->offset[i + 1] = (int64_t)x->bytes.n;
    }
    CHECK(!x->bytes.failed);
    x->d->title = (tdm_strings){x->bytes.p, x->offset, x->d->I};
}

static void world_make(world *x, bool reviews, double steps, const char *form)
{
    tdm_err e;
    tdm_params p = words_small(steps);
    *x = (world){.d = words_world(reviews), .run = words_run(2), .forms = tdm_new(1, sizeof *x->forms)};
    if (form) titles_spoil(x);
    CHECK_OK(tdm_forms_read(x->forms, NULL, 0, &e), e);
    if (form)
        CHECK_OK(tdm_form_parse(&x->forms->of[reviews ? TDM_FORM_REVIEW : TDM_FORM_HISTORY], "f", tdm_str_of(form), &e),
                 e);
    const tdm_fit_input in = {.train = x->d, .params = &p, .forms = form ? x->forms : NULL, .run = x->run};
    CHECK_OK(tdm_gpt2_words_ops.fit(&x->m, &in, &e), e);
    CHECK_OK(tdm_docs_make(&x->docs, &x->held, parts(x), x->run, &e), e);
}

static void world_clear(world *x)
{
    tdm_docs_clear(&x->docs);
    tdm_docs_clear(&x->held);
    tdm_model_close(x->m);
    tdm_run_close(x->run);
    if (x->bytes.p) x->d->title = x->titles;
    tdm_dataset_close(x->d);
    tdm_buf_clear(&x->bytes);
    tdm_free(x->forms);
}

/* The numbers are those of the documents that were made before forms were files. */
static void the_form_of_the_program_gives_the_documents_it_always_gave(void **state)
{
    (void)state;
    static const struct {
        uint64_t hash;
        const char *text;
    } want[] = {
        {0xd5884d4344decd81, "<|endoftext|><|item|>Steel saw<|end|> hated<|item|>Tool box<|end|> loved<|item|>Wood "
                             "glue<|end|> hated<|item|>Hand drill<|end|> loved<|item|>Tape <|end|><|item|> "
                             "measure<|end|> hated"},
        {0xe2a432e3743b9e4c, "<|endoftext|><|item|>Steel saw<|end|> hated<|item|>Tool box<|end|> loved<|because|>Steel "
                             "saw<|others|>Good tool own13x0<|others|>Good tool own5x4<|summary|>Good tool "
                             "own39x1<|review|>It is strong and does the work without fuss.<|endoftext|>"}};
    for (size_t reviews = 0; reviews < 2; reviews++) {
        world x;
        tdm_buf text = {0};
        world_make(&x, reviews, 1, NULL);
        document_text(&text, parts(&x), &x.docs, reviews);
        assert_string_equal(text.p, want[reviews].text);
        CHECK(documents_hash(&x.docs, &x.held) == want[reviews].hash);
        tdm_buf_clear(&text);
        world_clear(&x);
    }
}

/* ---- somebody's own ---- */

static const char own_review[] = "form: review\n"
                                 "words: <|endoftext|>Has\n"
                                 "history: <|item|>{title}<|end|>[ ({rating})][, {later}]\n"
                                 "because: <|because|>As {title}[ by {brand}]\n"
                                 "words: and now{newline}\n"
                                 "item: <|item|>{title}<|end|>[ {rating}]\n"
                                 "others: <|others|>{rating}: {summary}.\n"
                                 "answer: <|review|>{review}<|endoftext|>\n";
static const char own_history[] = "form: history\n"
                                  "words: <|endoftext|>Bought:\n"
                                  "history: <|because|>{title}<|end|>[ {later}]\n";

static void another_form_is_what_documents_have(void **state)
{
    (void)state;
    static const char *const want[] = {
        "<|endoftext|>Bought:<|because|>Steel saw<|end|><|because|>Tool box<|end|> same day<|because|>Wood glue<|end|> "
        "same "
        "day<|because|>Hand drill<|end|> same day<|because|>Tape <|end|><|item|> measure<|end|> same day",
        "<|endoftext|>Has<|item|>Steel saw<|end|> (hated)<|because|>As Steel saw"
        "and now\n<|item|>Tool box<|end|> loved<|others|>hated: Good tool own13x0.<|others|>hated: Good tool own5x4."
        "<|review|>It is strong and does the work without fuss.<|endoftext|>"};
    for (size_t reviews = 0; reviews < 2; reviews++) {
        world x;
        tdm_buf text = {0};
        world_make(&x, reviews, 1, reviews ? own_review : own_history);
        document_text(&text, parts(&x), &x.docs, reviews);
        assert_string_equal(text.p, want[reviews]);
        CHECK(x.docs.longest <= 256);
        tdm_buf_clear(&text);
        world_clear(&x);
    }
}

static size_t count(const uint32_t *token, size_t n, uint32_t mark)
{
    size_t c = 0;
    for (size_t i = 0; i < n; i++) c += token[i] == mark;
    return c;
}

static void what_people_write_is_no_form(void **state)
{
    (void)state;
    world x;
    tdm_buf text = {0};
    size_t seen = 0;
    world_make(&x, true, 1, own_review);
    const tdm_marks *mark = &parts(&x)->mark;
    for (size_t q = 0; q < x.docs.n; q++) {
        const uint32_t *t = x.docs.all.token.at + x.docs.start[q];
        size_t n = x.docs.start[q + 1] - x.docs.start[q];
        document_text(&text, parts(&x), &x.docs, q);
        seen += strstr(text.p, "Work {review} [gloves") && strstr(text.p, "Tape <|end|><|item|> measure");
        CHECK(count(t, n, mark->item) == count(t, n, mark->end) && count(t, n, mark->item) <= 4);
        CHECK(count(t, n, mark->text) == 2 && count(t, n, mark->review) == 1 && !count(t, n, mark->summary));
    }
    CHECK(seen > 10);
    tdm_buf_clear(&text);
    world_clear(&x);
}

static void another_form_is_trained_asked_and_kept(void **state)
{
    (void)state;
    char folder[] = "/tmp/tdm-form-XXXXXX", path[64], command[64], said[200], again[200];
    double logp, twice;
    size_t written = 0, n;
    uint32_t items[2][5];
    float scores[2][5];
    tdm_model *m;
    tdm_err e;
    world x;
    CHECK(mkdtemp(folder) != NULL);
    world_make(&x, true, 400, own_review);
    CHECK_OK(x.m->ops->save(x.m, folder, &e), e);
    CHECK_OK(tdm_gpt2_words_ops.load(&m, folder, x.d, NULL, &e), e);
    CHECK(((const tdm_words *)m)->forms.of[TDM_FORM_REVIEW].source_n == strlen(own_review));
    for (uint32_t u = 0; u < 10; u++) {
        const tdm_history h = tdm_dataset_history(x.d, u);
        const tdm_reason r = {.history = &h, .item = h.items[0], .seed = 3};
        CHECK_OK(x.m->ops->write(x.m, said, sizeof said, &logp, &r, &e), e);
        CHECK_OK(m->ops->write(m, again, sizeof again, &twice, &r, &e), e);
        assert_string_equal(said, again);
        written += *said != 0;
        CHECK_OK(words_topk(x.m, items[0], scores[0], &n, &h, 5, &e), e);
        CHECK_OK(words_topk(m, items[1], scores[1], &n, &h, 5, &e), e);
        CHECK(!memcmp(items[0], items[1], sizeof *items) && !memcmp(scores[0], scores[1], sizeof *scores));
    }
    CHECK(written > 5);
    tdm_model_close(m);
    snprintf(path, sizeof path, "%s/review.txt", folder);
    CHECK_OK(tdm_file_write(path, "form: review\nwords: x", 21, &e), e);
    CHECK(tdm_gpt2_words_ops.load(&m, folder, x.d, NULL, &e) == TDM_E_FORMAT && strstr(e.msg, "review.txt:2: "));
    CHECK_OK(tdm_file_write(path, own_history, strlen(own_history), &e), e);
    CHECK(tdm_gpt2_words_ops.load(&m, folder, x.d, NULL, &e) == TDM_E_FORMAT &&
          strstr(e.msg, "is the form of a history"));
    CHECK(remove(path) == 0); /* a folder from before there were forms has none */
    CHECK_OK(tdm_gpt2_words_ops.load(&m, folder, x.d, NULL, &e), e);
    CHECK(((const tdm_words *)m)->forms.of[TDM_FORM_REVIEW].source_n == tdm_form_builtin[TDM_FORM_REVIEW].n);
    tdm_model_close(m);
    world_clear(&x);
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0);
}

/* What a document may take is known before one is made. */
static void a_form_beyond_the_window_is_refused(void **state)
{
    (void)state;
    tdm_forms *forms = tdm_new(1, sizeof *forms);
    tdm_dataset *d = words_world(true);
    tdm_run *run = words_run(1);
    tdm_params p = words_small(1);
    tdm_buf text = {0};
    tdm_model *m;
    tdm_err e;
    CHECK_OK(tdm_forms_read(forms, NULL, 0, &e), e);
    tdm_buf_str(&text, START "words: ");
    for (size_t i = 0; i < 60; i++) tdm_buf_str(&text, "quite long ");
    tdm_buf_str(&text, "\n" HISTORY ITEM ANSWER);
    CHECK_OK(tdm_form_parse(&forms->of[TDM_FORM_REVIEW], "f", (tdm_str){text.p, text.n}, &e), e);
    const tdm_fit_input in = {.train = d, .params = &p, .forms = forms, .run = run};
    CHECK(tdm_gpt2_words_ops.fit(&m, &in, &e) == TDM_E_FORMAT && strstr(e.msg, "gpt2-words.window longer"));
    CHECK_OK(tdm_params_set(&p, "gpt2-words", "window", 1024, &e), e);
    CHECK_OK(tdm_gpt2_words_ops.fit(&m, &in, &e), e);
    tdm_model_close(m);
    tdm_buf_clear(&text);
    tdm_run_close(run);
    tdm_dataset_close(d);
    tdm_free(forms);
}

/* Each allocation of a prompt fails once. */
static void short_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    world x;
    tdm_err e;
    long k = 0;
    world_make(&x, true, 1, own_review);
    const tdm_history h = tdm_dataset_history(x.d, 0);
    const tdm_question q = {.history = &h,
                            .item = h.items[0],
                            .person = TDM_NONE,
                            .rating = 5,
                            .because = {h.items[1]},
                            .n_because = 1,
                            .others = true,
                            .most_history = 3,
                            .room = 200};
    size_t live = tdm_mem_live();
    for (; k < 1000; k++) {
        tdm_prompt p = {0};
        tdm_rng rng = tdm_rng_make(1, 2, 3);
        tdm_mem_fail_after(k);
        tdm_status st = tdm_words_prompt(&p, parts(&x), &q, &rng, &e);
        tdm_mem_fail_after(-1);
        tdm_prompt_clear(&p);
        CHECK(tdm_mem_live() == live);
        if (!st) break;
        CHECK(st == TDM_E_NOMEM);
    }
    CHECK(k > 10 && k < 1000);
    world_clear(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_that_are_none_are_refused_with_their_line),
        cmocka_unit_test(too_long_is_refused),
        cmocka_unit_test(how_it_is_laid_out_makes_no_difference),
        cmocka_unit_test(the_form_of_the_program_gives_the_documents_it_always_gave),
        cmocka_unit_test(another_form_is_what_documents_have),
        cmocka_unit_test(what_people_write_is_no_form),
        cmocka_unit_test(another_form_is_trained_asked_and_kept),
        cmocka_unit_test(a_form_beyond_the_window_is_refused),
        cmocka_unit_test(short_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
