// Prints arguments and environment; the exit code is the number of arguments.
// want: exit 3
// stdout: env X=1
// args: a --flag ünï
// env: X=1
// pie: yes
#include "check.h"

int main(int argc, char **argv, char **envp)
{
	CHECK(argv[argc] == NULL);
	CHECK(envp == environ);
	CHECK(strcmp(argv[3], "\xc3\xbcn\xc3\xaf") == 0);
	for (int i = 1; i < argc; i++) {
		printf("arg %d %s\n", i, argv[i]);
	}
	for (char **e = envp; *e; e++) {
		printf("env %s\n", *e);
	}
	CHECK(strcmp(getenv("X"), "1") == 0);
	CHECK(getenv("Y") == NULL);
	return argc - 1;
}
