// SPDX-License-Identifier: Apache-2.0
// marks.cpp - simdjson's first stage behind a C border. No exceptions: simdjson says what happened with codes, and
// allocates with new (std::nothrow).
#include "data/marks.h"

#include <memory>
#include <new>
#include <simdjson.h>

namespace
{
constexpr size_t SMALLEST = 16 << 10, LARGEST = 0xfffffff0;
}

struct tdm_marks {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
};

extern "C" tdm_marks *tdm_json_marks_open(void)
{
    tdm_marks *m = new (std::nothrow) tdm_marks;
    if (m && simdjson::get_active_implementation()->create_dom_parser_implementation(SMALLEST, 1, m->stage)) {
        delete m;
        m = nullptr;
    }
    return m;
}

extern "C" void tdm_json_marks_close(tdm_marks *m) { delete m; }

extern "C" tdm_json_marks_found tdm_json_marks_find(tdm_marks *m, const uint32_t **at, size_t *count, const char *p, size_t n)
{
    *count = 0;
    *at = nullptr;
    if (n > LARGEST) return TDM_MARKS_BROKEN;
    if (n > m->stage->capacity()) { // at least doubled, so that many texts that each are a little longer cost little
        size_t twice = m->stage->capacity() * 2;
        if (m->stage->set_capacity(twice > n && twice < LARGEST ? twice : n)) return TDM_MARKS_NOMEM;
    }
    switch (m->stage->stage1(reinterpret_cast<const uint8_t *>(p), n, simdjson::stage1_mode::regular)) {
    case simdjson::SUCCESS:
        *at = m->stage->structural_indexes.get();
        *count = m->stage->n_structural_indexes;
        return TDM_MARKS_OK;
    case simdjson::UTF8_ERROR:
        return TDM_MARKS_NOT_UTF8;
    case simdjson::UNESCAPED_CHARS:
        return TDM_MARKS_CONTROL;
    default:
        return TDM_MARKS_BROKEN;
    }
}
