#pragma once

/*
 * A console's output as GetConsoleOutput tells it: base64, whatever bytes the machine wrote.  Pure.
 */

/** ec2_console_decode() - the last CLOUD_CONSOLE_MAX bytes of what @base64 stands for, as clean UTF-8
 * with lines.  What is no base64 is left out. Return: owned. */
char *ec2_console_decode(const char *base64);
