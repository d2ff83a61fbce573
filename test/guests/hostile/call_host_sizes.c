// Arguments of all sizes around that of the message buffers.
// call: Attack
// want: result done
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	size_t size = message_info().output_size;
	uint8_t *data = malloc(2 * size), *back = malloc(2 * size);
	int fitted = 0, refused = 0;
	(void)call;
	(void)how;
	for (size_t i = 0; i < 2 * size; i++) {
		data[i] = (uint8_t)(i * 31 + i / 256);
	}
	for (size_t n = size - 200; n < size + 200; n++) {
		struct airlock_value argument = airlock_value_bytes(airlock_bytes_of(data, n)), result;
		enum airlock_code code = airlock_call_host(&bytes_import, &argument, &result, back, 2 * size);
		if (code == AIRLOCK_OK && (result.as.bytes.size != n || memcmp(back, data, n) != 0)) {
			return "a wrong answer";
		}
		fitted += code == AIRLOCK_OK;
		refused += code == AIRLOCK_TOO_LARGE;
	}
	return fitted > 0 && refused > 200 && fitted + refused == 400 ? "done" : "another error";
}
