// Odd texts as arguments of a function of the host: each comes back as it was.
// call: Attack
// want: result done
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	static const char *const texts[] = {"", "\n", "\x1b[2J", "%s%n", "../../etc/passwd", "\xe2\x80\xae", "'\";--", "\x7f"};
	(void)call;
	(void)how;
	for (int i = 0; i < 800; i++) {
		if (!echo(texts[i % 8])) {
			return "a wrong answer";
		}
	}
	return "done";
}
