/*
 * bytes: the table of byte classes, worked out by the compiler from the grammar.
 */
#include "http/bytes.h"

#define IS_DIGIT(c) ((c) >= '0' && (c) <= '9')
#define IS_ALPHA(c) (((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z'))
#define IS_HEX(c) (IS_DIGIT(c) || ((c) >= 'a' && (c) <= 'f') || ((c) >= 'A' && (c) <= 'F'))
#define IS_UNRESERVED(c) (IS_ALPHA(c) || IS_DIGIT(c) || (c) == '-' || (c) == '.' || (c) == '_' || (c) == '~')
#define IS_SUB_DELIM(c)                                                                                                         \
	((c) == '!' || (c) == '$' || ((c) >= '&' && (c) <= ',') /* & ' ( ) * + , */ || (c) == ';' || (c) == '=')
#define IS_TOKEN(c)                                                                                                             \
	(IS_ALPHA(c) || IS_DIGIT(c) || (c) == '!' || ((c) >= '#' && (c) <= '\'') /* # $ % & ' */ || (c) == '*' || (c) == '+' || \
	 (c) == '-' || (c) == '.' || ((c) >= '^' && (c) <= '`') /* ^ _ ` */ || (c) == '|' || (c) == '~')

#define CLASSES(c)                                                                                                              \
	(uint8_t)((IS_TOKEN(c) ? HTTP_BYTE_TOKEN : 0) | (((c) >= 0x20 && (c) != 0x7f) || (c) == '\t' ? HTTP_BYTE_VALUE : 0) |   \
	 ((c) > 0x20 && (c) < 0x7f && (c) != '#' ? HTTP_BYTE_TARGET : 0) | (IS_UNRESERVED(c) ? HTTP_BYTE_UNRESERVED : 0) |      \
	 (IS_SUB_DELIM(c) ? HTTP_BYTE_SUB_DELIM : 0) | (IS_HEX(c) ? HTTP_BYTE_HEX : 0))
#define HEX_VALUE(c) (uint8_t)(IS_DIGIT(c) ? (c) - '0' : IS_HEX(c) ? ((c) | 0x20) - 'a' + 10 : 0)

#define ROW_8(f, c) f((c)), f((c) + 1), f((c) + 2), f((c) + 3), f((c) + 4), f((c) + 5), f((c) + 6), f((c) + 7)
#define ROW_64(f, c)                                                                                                            \
	ROW_8(f, (c)), ROW_8(f, (c) + 8), ROW_8(f, (c) + 16), ROW_8(f, (c) + 24), ROW_8(f, (c) + 32), ROW_8(f, (c) + 40),       \
		ROW_8(f, (c) + 48), ROW_8(f, (c) + 56)

const uint8_t http_byte_classes[256] = {
	ROW_64(CLASSES, 0), ROW_64(CLASSES, 64), ROW_64(CLASSES, 128), ROW_64(CLASSES, 192)
};
const uint8_t http_hex_values[256] = {
	ROW_64(HEX_VALUE, 0), ROW_64(HEX_VALUE, 64), ROW_64(HEX_VALUE, 128), ROW_64(HEX_VALUE, 192)
};
