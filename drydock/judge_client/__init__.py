"""The judge from outside: how drydock starts it, follows it, stops it and collects its records."""
