#!/bin/bash
rm -r $1
