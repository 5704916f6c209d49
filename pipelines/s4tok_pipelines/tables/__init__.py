"""The tables that papers print, beside what was measured."""
