/* Starting the program: what execve(2) leaves for it. */
#ifndef EXEC_H
#define EXEC_H

/* Makes the first thread, with arguments, environment and auxiliary vector on its stack. */
void exec_program(void);

#endif
