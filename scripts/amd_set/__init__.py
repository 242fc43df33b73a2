"""Recordings made by a program to learn and to judge who answers a call: person, machine, tone or nobody."""
