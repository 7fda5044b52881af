"""What course.py hands over to: one module a command, each with ``main(argv) -> exit code``. Light to import."""
