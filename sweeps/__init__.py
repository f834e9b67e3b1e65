"""Which learning-rate schedule, with which parameters, and how sure can I be?"""
