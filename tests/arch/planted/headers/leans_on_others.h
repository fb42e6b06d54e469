#pragma once

uint32_t planted_answer(void);
