// An empty stdin gives end of file, again and again; a closed one gives EBADF.
// want: exit 0
// stdout: SUCCESS
#include "check.h"

int main(void)
{
	char c;
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(read(0, &c, 1), 0);
	}
	CHECK_EQ(getchar(), EOF);
	CHECK_EQ(close(0), 0);
	CHECK_ERR(read(0, &c, 1), EBADF);
	CHECK_ERR(close(0), EBADF);
	return success();
}
