#include "text.h"

#include <string.h>

text text_in(char *buffer, size_t capacity) {
    buffer[0] = '\0';
    return (text){.start = buffer, .capacity = capacity};
}

void text_add(text *t, const char *string) {
    size_t room = t->capacity - 1 - t->size, length = strlen(string);
    length = length < room ? length : room;
    memcpy(t->start + t->size, string, length);
    t->size += length;
    t->start[t->size] = '\0';
}

void text_add_number(text *t, uint64_t number) {
    char digits[21];
    char *at = digits + sizeof digits;
    *--at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    text_add(t, at);
}

bool text_to_number(const char *string, uint64_t most, uint64_t *out) {
    uint64_t number = 0;
    if (*string == '\0')
        return false;
    for (; *string != '\0'; string++) {
        if (*string < '0' || *string > '9')
            return false;
        uint64_t digit = (uint64_t)(*string - '0');
        if (number > (most - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *out = number;
    return true;
}
